import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { retryDelay } from "../../../../shared/core/lifecycle/retry.ts";
import { computeExpiry, computeNextDue } from "../../../../shared/core/policy/due/schedule.ts";
import { fingerprintPolicy, type Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";

const now = "2026-03-01T10:00:00.000Z";
const changed = "2026-01-01T00:00:00.000Z";
const policy: Policy = {
  name: "quarterly",
  every: 90 * day,
  password: { length: 40, symbols: "-_.~", exclude: "" },
  retry: { attempts: 3, every: 10 * minute, thenEvery: 6 * hour },
};
const { every: _, ...byHand } = policy;
const manual: Policy = { ...byHand, manualOnly: true };

const targetId = "orders";
const facts = { targetId, changedAt: changed };

describe("the due moment of a target", () => {
  it("is the maximum age after its last change, if that is in the future", () => {
    expect(computeNextDue(policy, facts, now)).toEqual({
      at: "2026-04-01T00:00:00.000Z",
      reason: `policy quarterly: due 90d after ${changed}`,
      passedOver: [],
      policy: "quarterly",
    });
  });

  it("is in the past when the maximum age is reached and every hour is allowed", () => {
    expect(computeNextDue({ ...policy, every: day }, facts, now).at).toBe(
      "2026-01-02T00:00:00.000Z",
    );
  });

  it("is now if no change is known", () => {
    expect(computeNextDue(policy, { targetId }, now).at).toBe(now);
  });

  it("does not exist with manualOnly", () => {
    expect(computeNextDue(manual, { targetId }, now)).not.toHaveProperty("at");
    expect(computeNextDue(manual, facts, now).reason).toContain("only a request");
  });

  it("is the moment of the near-expiry event, so that the event starts no loop", () => {
    fc.assert(
      fc.property(fc.integer({ min: 10_000, max: 3_650 * day }), (every) => {
        const expiry = computeExpiry({ ...policy, every }, now, targetId);
        const due = computeNextDue({ ...policy, every }, { targetId, changedAt: now }, now).at;
        expect(expiry && plus(expiry, -30 * day)).toBe(due);
      }),
    );
  });

  it("does not exist for manual rotation, so versions have no expiry", () => {
    expect(computeExpiry(manual, now, targetId)).toBeUndefined();
  });
});

describe("the interval to the next try", () => {
  const { retry } = policy;

  it("is every until the attempts are used up, then thenEvery", () => {
    const distances = [1, 2, 3, 4, 99].map((failures) => retryDelay(retry, failures, "seed"));
    const isShort = distances.map((distance) => distance < hour);
    expect(isShort).toEqual([true, true, false, false, false]);
  });

  it("is never shorter than configured, and at most a tenth longer", () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.string(), (failures, seed) => {
        const asked = failures < retry.attempts ? retry.every : retry.thenEvery;
        const distance = retryDelay(retry, failures, seed);
        expect(Number.isInteger(distance)).toBe(true);
        expect(distance).toBeGreaterThanOrEqual(asked);
        expect(distance).toBeLessThanOrEqual(asked * 1.1 + 1);
      }),
    );
  });

  it("is the same after a restart, and differs between targets", () => {
    const all = Array.from({ length: 100 }, (__, index) => retryDelay(retry, 1, `target-${index}`));
    const again = Array.from({ length: 100 }, (__, index) =>
      retryDelay(retry, 1, `target-${index}`),
    );
    expect(again).toEqual(all);
    expect(new Set(all).size).toBeGreaterThan(90);
    expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(retry.every / 20);
  });
});

describe("the fingerprint of a policy", () => {
  it("does not depend on the order in which its parts were written", () => {
    const { name, every, password, retry } = policy;
    const { attempts, thenEvery } = retry;
    const same = {
      retry: { thenEvery, every: retry.every, attempts },
      password: { exclude: "", symbols: password.symbols, length: 40 },
      ...(every && { every }),
      name,
    };
    expect(fingerprintPolicy(same)).toBe(fingerprintPolicy(policy));
  });

  it("stays the same across versions of Keyturn, so that targets are not rescheduled", () => {
    expect(fingerprintPolicy(policy)).toBe("478b04fbb1286e29");
  });

  it("changes whenever a part changes", () => {
    const others: Policy[] = [
      manual,
      { ...policy, name: "x" },
      { ...policy, every: 90 * day + 1 },
      { ...policy, password: { ...policy.password, length: 41 } },
      { ...policy, password: { ...policy.password, symbols: "-_." } },
      { ...policy, password: { ...policy.password, exclude: "l" } },
      { ...policy, retry: { ...policy.retry, attempts: 4 } },
      { ...policy, retry: { ...policy.retry, every: 1 } },
      { ...policy, retry: { ...policy.retry, thenEvery: 1 } },
    ];
    const prints = new Set([policy, ...others].map(fingerprintPolicy));
    expect(prints.size).toBe(others.length + 1);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{16}$/);
  });
});

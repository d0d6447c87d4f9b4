import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findMargin } from "../../../../shared/core/policy/due/due-rules.ts";
import { computeNextDue, mayStart } from "../../../../shared/core/policy/due/schedule.ts";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute, plus, toInstantAt } from "../../../../shared/core/time.ts";
import { arbitraryPolicy } from "../arbitrary-policy.ts";
import { policyWith } from "../sample.ts";

const monday = "2026-06-01T12:00:00.000Z";
const targetId = "orders";
const yearly = (fields: Partial<Policy> = {}) => policyWith({ every: 365 * day, ...fields });
const due = (policy: Policy, lifetime: number, now = monday) =>
  computeNextDue(policy, { targetId, changedAt: monday, endsAt: plus(monday, lifetime) }, now);

describe("a secret that the system ends", () => {
  it("is due a week and its grace before its end, with the end as the reason", () => {
    expect(due(yearly({ grace: 2 * day }), 100 * day)).toMatchObject({
      at: plus(monday, 91 * day),
      reason: `policy test: due before the system ends the secret at ${plus(monday, 100 * day)}`,
    });
  });

  it("is due earlier where retries take longer than a week, up to 30 days", () => {
    const retry = { attempts: 3, every: hour, thenEvery: 5 * day };
    expect(due(yearly({ retry, grace: 0 }), 100 * day).at).toBe(plus(monday, 90 * day - 3 * hour));
    const slow = { ...retry, thenEvery: 25 * day };
    expect(due(yearly({ retry: slow, grace: 0 }), 100 * day).at).toBe(plus(monday, 70 * day));
  });

  it("is due by its age if that comes first", () => {
    const { at, passedOver } = due(yearly({ every: 30 * day }), 100 * day);
    expect(at).toBe(plus(monday, 30 * day));
    expect(passedOver).toEqual([
      {
        at: plus(monday, 92 * day),
        why: `later: due before the system ends the secret at ${plus(monday, 100 * day)}`,
      },
    ]);
  });

  it("is due after half of its time if it has little left, and not at once after an undo", () => {
    expect(due(yearly(), 6 * day).at).toBe(plus(monday, 3 * day));
    expect(due(yearly(), 2 * hour).at).toBe(plus(monday, hour));
  });

  it("is due by its end alone, with neither every nor cron", () => {
    expect(due(policyWith({ afterExposure: hour }), 100 * day).at).toBe(plus(monday, 92 * day));
  });

  it("is never due with manualOnly", () => {
    expect(due(policyWith({ manualOnly: true }), 100 * day)).not.toHaveProperty("at");
  });

  it("takes the last window before that", () => {
    const nights = yearly({ days: ["sat"], between: [{ from: "22:00", to: "04:00" }] });
    // 92 days later is a Tuesday.
    expect(due(nights, 100 * day)).toMatchObject({
      at: "2026-08-29T22:00:00.000Z",
      reason: expect.not.stringContaining("windows") as string,
    });
  });

  it("ignores windows once the last one was missed", () => {
    const nights = yearly({ days: ["sat"], between: [{ from: "22:00", to: "04:00" }] });
    const missed = due(nights, 100 * day, "2026-08-30T04:00:00.000Z");
    expect(missed.at).toBe(plus(monday, 92 * day));
    expect(missed.reason).toContain("; ignores windows");
    const facts = { targetId, changedAt: monday, endsAt: plus(monday, 100 * day) };
    expect(mayStart(nights, facts, plus(monday, 92 * day)).allowed).toBe(true);
    expect(mayStart(nights, facts, plus(monday, 92 * day - 1)).allowed).toBe(false);
  });

  it("does not take the window in which it was published", () => {
    const mondays = yearly({ days: ["mon"] });
    expect(due(mondays, 10 * day).at).toBe(plus(monday, 5 * day));
  });

  it("starts a day before a freeze that covers that moment", () => {
    const freeze = [{ from: "2026-08-20", to: "2026-09-05", reason: "audit", lift: [] }];
    expect(due(yearly({ freeze }), 100 * day).at).toBe("2026-08-19T00:00:00.000Z");
  });

  it("waits for the end of a freeze that was noticed too late, and says so", () => {
    const freeze = [{ from: "2026-08-20", to: "2026-09-05", reason: "audit", lift: [] }];
    const late = due(yearly({ freeze }), 100 * day, "2026-08-21T00:00:00.000Z");
    expect(late.at).toBe("2026-09-06T00:00:00.000Z");
    expect(late.reason).toContain("delayed by a freeze until");
  });

  it("is never later than its margin says, unless a freeze delays it, nor due at once again", () => {
    const lifetimes = fc.integer({ min: 1, max: 700 * 24 }).map((hours) => hours * hour);
    fc.assert(
      fc.property(
        arbitraryPolicy,
        lifetimes,
        fc.integer({ min: 0, max: 300 * 24 * 60 }),
        (written, lifetime, minutes) => {
          const { freeze: _, ...policy } = written;
          const changedAt = plus(monday, minutes * minute);
          const endsAt = plus(changedAt, lifetime);
          const latest = Math.max(lifetime - findMargin(policy), lifetime / 2);
          const { at = "" } = computeNextDue(policy, { targetId, changedAt, endsAt }, changedAt);
          expect(Date.parse(at)).toBeLessThanOrEqual(Date.parse(changedAt) + latest);
          expect(Date.parse(at)).toBeGreaterThanOrEqual(
            Date.parse(changedAt) +
              Math.min(latest / 2, (policy.every ?? 0) - (policy.headStart ?? 0)) -
              1,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it("starts in no freeze, and before its end if the freezes leave room", () => {
    fc.assert(
      fc.property(arbitraryPolicy, fc.integer({ min: 30, max: 400 }), (policy, days) => {
        const endsAt = plus(monday, days * day);
        const facts = { targetId, changedAt: monday, endsAt };
        const { at = "" } = computeNextDue(policy, facts, monday);
        expect(mayStart(policy, facts, at).allowed).toBe(true);
        const { freeze: _, ...free } = policy;
        const without = computeNextDue(free, facts, monday).at ?? "";
        const frozenDays = (policy.freeze ?? []).length * 21;
        if (frozenDays === 0) expect(at).toBe(without);
        expect(Date.parse(at)).toBeLessThanOrEqual(Date.parse(endsAt) + frozenDays * day);
      }),
      { numRuns: 500 },
    );
  });
});

it("keeps the moment of a target in the spread before the due moment", () => {
  const spread = yearly({ spread: 6 * hour, days: ["sat"] });
  for (const id of ["a", "b", "c", "d"]) {
    const facts = { targetId: id, changedAt: monday, endsAt: plus(monday, 100 * day) };
    const { at = "" } = computeNextDue(spread, facts, monday);
    expect(at >= "2026-08-29T00:00:00.000Z" && at < "2026-08-29T06:00:00.000Z").toBe(true);
    expect(toInstantAt(Date.parse(at))).toBe(at);
  }
});

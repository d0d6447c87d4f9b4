import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { computeSpread } from "../../../../shared/core/policy/due/placement.ts";
import {
  computeNextDue,
  type Facts,
  mayStart,
} from "../../../../shared/core/policy/due/schedule.ts";
import { type Policy, weekdays } from "../../../../shared/core/policy/policy.ts";
import { findOpenings } from "../../../../shared/core/policy/windows/openings.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";
import { appointmentMinutes, listMinutes, openMinutes, type WitnessedHours } from "../clock.ts";
import { policyWith, zones } from "../sample.ts";

const start = "2026-01-01T00:00:00.000Z";

const time = fc
  .integer({ min: 0, max: 24 * 4 - 1 })
  .map(
    (of) =>
      `${String(Math.floor(of / 4)).padStart(2, "0")}:${String((of % 4) * 15).padStart(2, "0")}`,
  );
const range = fc.record({ from: time, to: time }).filter(({ from, to }) => from !== to);
const freeze = fc
  .record({ from: fc.integer({ min: 0, max: 250 }), length: fc.integer({ min: 0, max: 20 }) })
  .map(({ from, length }) => ({
    from: plus(start, from * day).slice(0, 10),
    to: plus(start, (from + length) * day).slice(0, 10),
    reason: "a freeze",
    lift: [],
  }));
const cronInWords: Readonly<Record<string, WitnessedHours>> = {
  "30 2 * * 0": { days: ["sun"], at: ["02:30"] },
  "0 */7 * * 1-5": {
    days: ["mon", "tue", "wed", "thu", "fri"],
    at: ["00:00", "07:00", "14:00", "21:00"],
  },
  "15 3 1 * *": { dates: /-01$/, at: ["03:15"] },
};
const hours = fc.oneof(
  fc.constant({}),
  fc.record({ days: fc.subarray([...weekdays], { minLength: 1 }) }),
  fc.record({
    days: fc.subarray([...weekdays], { minLength: 1 }),
    between: fc.array(range, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ at: fc.array(time, { minLength: 1, maxLength: 2 }) }),
  fc.constantFrom(...Object.keys(cronInWords)).map((cron) => ({ cron })),
);
const policies = fc
  .record({
    hours,
    every: fc.integer({ min: 1, max: 100 * 24 }),
    headStart: fc.double({ min: 0, max: 0.9, noNaN: true }),
    timeZone: fc.constantFrom(...zones),
    freeze: fc.array(freeze, { maxLength: 3 }),
    spread: fc.constantFrom(0, 10 * minute, 2 * hour, 9 * hour),
  })
  .map(({ hours: some, every, headStart, ...rest }) =>
    policyWith({
      ...rest,
      ...some,
      every: every * hour,
      headStart: Math.floor(every * headStart) * hour,
    }),
  );
const changes = fc
  .integer({ min: 0, max: 200 * 24 * 60 })
  .map((minutes) => plus(start, minutes * minute));
const targetIds = fc.uuid();

function dueAt(policy: Policy, facts: Facts, now: string): string {
  const { at } = computeNextDue(policy, facts, now);
  if (at === undefined) throw new Error("nothing is due");
  return at;
}

/** Whether windows and freezes allow a change at this moment. */
function isOpen(policy: Policy, at: string): boolean {
  const moment = Date.parse(at);
  return findOpenings(policy)
    .between(moment, moment + 1)
    .some((span) => span.from <= moment && moment < span.to);
}

function isFrozen(policy: Policy, at: string): boolean {
  const { timeZone = "UTC" } = policy;
  return isFrozenOn(policy, new Date(at).toLocaleDateString("sv-SE", { timeZone }));
}

function isFrozenOn({ freeze: freezes = [] }: Policy, date: string): boolean {
  return freezes.some(({ from, to }) => from <= date && date <= to);
}

/**
 * Finds the first moment from `from` on at which these policies allow a change, without the code under test. All of their
 * times, and all clock changes of their years, are at quarters of an hour.
 */
function firstPermitted(policy: Policy, from: number): number {
  const { timeZone = "UTC" } = policy;
  const hours = policy.cron === undefined ? policy : (cronInWords[policy.cron] ?? {});
  const quarter = 15 * minute;
  for (let start = from; ; start += 3 * day) {
    const quarters = listMinutes(timeZone, start - 2 * day, start + 6 * day, quarter);
    const open = hours.at
      ? new Set(appointmentMinutes(quarters, hours))
      : openMinutes(quarters, hours);
    const first = quarters.find(
      ({ at, shown }) =>
        open.has(at) &&
        (hours.at ? at : at + quarter - 1) >= from &&
        at < start + 4 * day &&
        !isFrozenOn(policy, shown.slice(0, 10)),
    );
    if (first) return Math.max(from, first.at);
  }
}

describe("a due moment", () => {
  it("is never before the head start, outside a window, or inside a freeze", () => {
    fc.assert(
      fc.property(policies, changes, targetIds, (policy, changedAt, targetId) => {
        const at = dueAt(policy, { targetId, changedAt }, changedAt);
        const allowed = plus(changedAt, (policy.every ?? 0) - (policy.headStart ?? 0));
        expect(at >= allowed).toBe(true);
        expect(isOpen(policy, at)).toBe(true);
        expect(isFrozen(policy, at)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it("is the first allowed moment, or later by at most the spread", () => {
    fc.assert(
      fc.property(policies, changes, targetIds, (policy, changedAt, targetId) => {
        const at = Date.parse(dueAt(policy, { targetId, changedAt }, changedAt));
        const from = Date.parse(changedAt) + (policy.every ?? 0) - (policy.headStart ?? 0);
        const first = firstPermitted(policy, from);
        expect(at).toBeGreaterThanOrEqual(first);
        expect(at - first).toBeLessThanOrEqual(policy.spread ?? 0);
      }),
      { numRuns: 120 },
    );
  });

  it("is never earlier for a secret that was changed later", () => {
    fc.assert(
      fc.property(policies, changes, changes, targetIds, (policy, one, other, targetId) => {
        const [first, second] = [one, other].sort();
        if (first === undefined || second === undefined) return;
        const now = second;
        expect(
          dueAt(policy, { targetId, changedAt: first }, now) <=
            dueAt(policy, { targetId, changedAt: second }, now),
        ).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it("stays the same when it is computed again, until its window closes", () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(policies, changes, targetIds, part, (policy, changedAt, targetId, later) => {
        const facts = { targetId, changedAt };
        const at = dueAt(policy, facts, changedAt);
        const now = plus(changedAt, Math.floor((Date.parse(at) - Date.parse(changedAt)) * later));
        expect(dueAt(policy, facts, now)).toBe(at);
        expect(dueAt(structuredClone(policy), facts, at)).toBe(at);
      }),
      { numRuns: 300 },
    );
  });

  it("that was missed moves to a window that is still open, and never back", () => {
    const lateness = fc.integer({ min: 0, max: 60 * 24 });
    fc.assert(
      fc.property(
        policies,
        changes,
        targetIds,
        lateness,
        (policy, changedAt, targetId, hoursLate) => {
          const facts = { targetId, changedAt };
          const planned = dueAt(policy, facts, changedAt);
          const now = plus(planned, hoursLate * hour);
          const at = dueAt(policy, facts, now);
          expect(at >= planned).toBe(true);
          // Its window is open, or it lies in the future.
          expect(at > now || isOpen(policy, now)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("agrees with mayStart, which allows a change if a window is open and the head start has begun", () => {
    fc.assert(
      fc.property(
        policies,
        changes,
        fc.integer({ min: 0, max: 200 * 24 }),
        (policy, changedAt, later) => {
          const now = plus(changedAt, later * hour);
          const from = plus(changedAt, (policy.every ?? 0) - (policy.headStart ?? 0));
          const openings = findOpenings(policy);
          const moment = Date.parse(now);
          const open = openings
            .between(moment, moment + 1)
            .some(
              (span) =>
                span.from <= moment && (!openings.appointments || span.from >= Date.parse(from)),
            );
          const { allowed } = mayStart(policy, { targetId: "a", changedAt }, now);
          expect(allowed).toBe(open && now >= from);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the spread", () => {
  const policy = policyWith({ every: 30 * day, at: ["02:00"], spread: 2 * hour });

  it("distributes a fleet evenly over its length", () => {
    const count = 10_000;
    const bins = Array.from({ length: 20 }, () => 0);
    for (let index = 0; index < count; index++) {
      const targetId = `orders-${index}`;
      const at = dueAt(policy, { targetId, changedAt: start }, start);
      const minutes = (Date.parse(at) - Date.parse("2026-01-31T02:00:00Z")) / minute;
      const bin = Math.floor(minutes / 6);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(bins).toHaveLength(20);
    const expected = count / bins.length;
    const chiSquared = bins.reduce((sum, found) => sum + (found - expected) ** 2 / expected, 0);
    // With 19 degrees of freedom, a value above 43.8 occurs once in a thousand times. The ids are always the same.
    expect(chiSquared).toBeLessThan(43.8);
  });

  it("keeps a distance from the end of a window, so that the sweep is in time", () => {
    const narrow = policyWith({
      every: 30 * day,
      between: [{ from: "02:00", to: "03:00" }],
      spread: 9 * hour,
    });
    const latest = Array.from({ length: 2000 }, (_, index) =>
      dueAt(narrow, { targetId: `t-${index}`, changedAt: start }, start).slice(11, 16),
    ).sort();
    expect(latest[0]).toBe("02:00");
    expect(latest.at(-1)).toBe("02:54");
  });

  it("depends on the target only", () => {
    expect(computeSpread("orders")).toBe(computeSpread("orders"));
    expect(computeSpread("orders")).not.toBe(computeSpread("orders2"));
    expect(computeSpread("orders")).toBeCloseTo(0.10972, 5);
  });
});

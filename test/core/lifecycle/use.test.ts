import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findWakeTime } from "../../../shared/core/lifecycle/decide.ts";
import { acceptUse, type Use, withTheirUse } from "../../../shared/core/lifecycle/use.ts";
import { withDue } from "../../../shared/core/record/due.ts";
import type { TargetRecord } from "../../../shared/core/record/record.ts";
import { day, hour, minute, plus } from "../../../shared/core/time.ts";
import { arbitraryUnclaimed } from "../arbitrary-record.ts";
import { arbitraryMoment } from "../arbitrary-request.ts";
import { adopted, at, begun, now, target } from "../orders.ts";

const idle = { ...target, policy: { ...target.policy, afterIdle: 30 * day } };
const known: TargetRecord = { ...adopted, lastSuccessAt: plus(now, -10 * day), lastUsedAt: now };
const accept = (record: TargetRecord, use: Use, moment = plus(now, day)) =>
  acceptUse(record, idle, use, moment);

describe("a use that is reported", () => {
  it("is the last one, and what idleness makes due counts from it", () => {
    const used = at(600);
    const { counted, why, record } = accept(known, { at: used, by: "orders service" });
    expect([counted, why]).toStrictEqual([true, `the secret was used at ${used}`]);
    expect(record).toStrictEqual(
      withDue({ ...known, lastUsedAt: used, lastUsedBy: "orders service" }, idle, plus(now, day)),
    );
    expect(record.nextDue).toBe(plus(used, 30 * day));
    expect(record.passedOver?.[0]?.why).toContain("90d after");
  });

  it.each([
    ["an hour later", hour, true, /^the secret was used/],
    [
      "less than an hour later",
      hour - 1,
      false,
      /^a use within the hour before is already recorded, at /,
    ],
    ["at the same moment", 0, false, /^a use within the hour before is already recorded, at /],
    ["earlier", -minute, false, /^a later use is already recorded, at /],
  ])("%s is the last one or changes nothing", (_when, after, counted, why) => {
    const accepted = accept(known, { at: plus(now, after) });
    expect(accepted.counted).toBe(counted);
    expect(accepted.why).toMatch(why);
    expect(accepted.record === known).toBe(!counted);
  });

  it("in the future counts as one of now", () => {
    expect(accept(known, { at: at(700) }, at(600)).record.lastUsedAt).toBe(at(600));
  });

  it("has no user when the report names none", () => {
    const record = { ...known, lastUsedBy: "orders service" };
    expect(accept(record, { at: at(600) }).record).not.toHaveProperty("lastUsedBy");
  });

  it.each<[string, TargetRecord]>([
    [
      "that waits for another try",
      { ...known, again: { reason: "operator", requestedBy: "anna", why: "it failed" } },
    ],
    ["that is being changed", begun(known)],
    ["that is not adopted", (({ adoptedAt: _, ...rest }) => rest)(known)],
  ])("plans nothing anew for a target %s", (_what, before) => {
    const record = { ...before, nextDue: at(3), dueReason: "as it was" };
    expect(accept(record, { at: at(600) }).record).toStrictEqual({
      ...record,
      lastUsedAt: at(600),
    });
  });

  it("reschedules nothing when the policy has no afterIdle", () => {
    const record = { ...known, nextDue: at(3), dueReason: "as it was" };
    const { record: used } = acceptUse(record, target, { at: at(600) }, at(600));
    expect(used).toStrictEqual({ ...record, lastUsedAt: at(600) });
  });
});

describe("a use that came while a worker held the target", () => {
  it("is merged, and without a use nothing changes", () => {
    const theirs = { ...known, lastUsedAt: at(600), lastUsedBy: "eva" };
    const working = { ...begun(known), outbox: [] };
    expect(withTheirUse(working, theirs, idle, at(601))).toStrictEqual({
      ...working,
      lastUsedAt: at(600),
      lastUsedBy: "eva",
    });
    expect(withTheirUse(working, adopted, idle, at(601))).toBe(working);
  });

  it("never goes back in time, and changes only the schedule", () => {
    fc.assert(
      fc.property(
        arbitraryUnclaimed,
        arbitraryUnclaimed,
        arbitraryMoment,
        (next, theirs, moment) => {
          const merged = withTheirUse(next, theirs, idle, moment);
          expect((merged.lastUsedAt ?? "") >= (next.lastUsedAt ?? "")).toBe(true);
          expect(withoutPlan(merged)).toEqual(withoutPlan(next));
          if (next.rotation || next.again)
            expect(findWakeTime(merged, moment)).toBe(findWakeTime(next, moment));
        },
      ),
    );
  });
});

/** The fields that a use leaves unchanged. */
function withoutPlan(record: TargetRecord): Partial<TargetRecord> {
  const { lastUsedAt: _a, lastUsedBy: _b, nextDue: _n, dueReason: _d, ...rest } = record;
  const { passedOver: _p, policyFingerprint: _f, policyWhy: _w, ...left } = rest;
  const { policiesPassedOver: _o, ...kept } = left;
  return kept;
}

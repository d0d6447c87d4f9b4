import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withDateReached } from "../../../shared/core/lifecycle/dated.ts";
import { decideWork } from "../../../shared/core/lifecycle/decide.ts";
import { acceptExposure, withTheirExposure } from "../../../shared/core/lifecycle/exposure.ts";
import { decideStart } from "../../../shared/core/lifecycle/permit.ts";
import { succeed } from "../../../shared/core/lifecycle/progress.ts";
import type { Policy } from "../../../shared/core/policy/policy.ts";
import { type Rotation, type TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { day, hour, minute, plus } from "../../../shared/core/time.ts";
import { arbitraryUnclaimed } from "../arbitrary-record.ts";
import { arbitraryMoment } from "../arbitrary-request.ts";
import { adopted, at, begun, now, request, target, version } from "../orders.ts";

/** Open from 10:03 to 10:06 of the first of March, in the middle of the moments that records hold. */
const policy: Policy = {
  ...target.policy,
  every: day,
  between: [{ from: "10:03", to: "10:06" }],
  freeze: [
    { from: "2026-03-01T10:05:00Z", to: "2026-03-01T10:20:00Z", reason: "f", lift: ["breach"] },
  ],
};
const watched = { ...target, policy };
const isOpen = (moment: string) =>
  moment >= "2026-03-01T10:03:00.000Z" && moment < "2026-03-01T10:05:00.000Z";
const isFrozen = (moment: string) => moment >= "2026-03-01T10:05:00.000Z";

/** The fields that a refused permit leaves unchanged. */
function withoutPlan(record: TargetRecord): Partial<TargetRecord> {
  const { request: _r, given: _g, nextDue: _n, dueReason: _d, passedOver: _p, ...rest } = record;
  const { policyFingerprint: _f, policyWhy: _w, policiesPassedOver: _o, again, ...left } = rest;
  if (!again) return left;
  const { heldBy: _h, ...asked } = again;
  return { ...left, again: asked };
}

describe("a permit to begin", () => {
  it("is given to the schedule in an open window only, and to people outside of freezes that nobody lifted", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const { exposure: _, again: __, pause: ___, ...calm } = record;
        const permitted = decideStart(calm, watched, moment);
        if (!("intent" in permitted)) return;
        const isAsked = permitted.intent.requestedBy !== "schedule";
        const isPerson = isAsked || permitted.intent === calm.request;
        const isFree = !isFrozen(moment) || permitted.intent.lift !== undefined;
        expect(isPerson ? isFree : isOpen(moment)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("that is refused leaves nothing that could begin at the same time, and loses no request", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const permitted = decideStart(record, watched, moment);
        if ("intent" in permitted) return;
        const { held } = permitted;
        const { rotation: _r, dated: _d, ...idle } = { ...held, adoptedAt: now };
        expect(held.request?.rotationId).toBe(record.request?.rotationId);
        expect(held.given?.rotationId).toBe(record.given?.rotationId);
        expect(decideWork(idle, moment)).not.toBe("start");
        expect(withoutPlan(held)).toEqual(withoutPlan(record));
      }),
      { numRuns: 2_000 },
    );
  });

  it("that is refused to every scheduled rotation whose date has come leaves none that could begin", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const { rotation: _, ...calm } = { ...record, adoptedAt: now };
        let left: TargetRecord = calm;
        for (let tries = 0; tries <= (record.dated?.length ?? 0); tries++) {
          const permitted = decideStart(withDateReached(left, moment), watched, moment);
          if ("intent" in permitted) return;
          left = permitted.held;
        }
        expect(decideWork(left, moment)).not.toBe("start");
      }),
      { numRuns: 5_000 },
    );
  });

  it("is not given while the target is paused, unless a person forces it after that", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const permitted = decideStart(record, watched, moment);
        const { pause } = record;
        if (!("intent" in permitted) || !pause || pause.until <= moment) return;
        const { force } = permitted.intent;
        expect(force !== undefined && force.at >= pause.at).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("of the schedule answers the waiting request, and keeps its grace", () => {
    const waiting = { ...request, notBefore: at(60), heldBy: "f", grace: 5 };
    const record = { ...adopted, lastSuccessAt: at(-2_000), nextDue: now, request: waiting };
    expect(decideStart(record, watched, at(4))).toEqual({
      intent: { rotationId: "r1", reason: "schedule", requestedBy: "schedule", at: now, grace: 5 },
      why: "policy quarterly: due 1d after 2026-02-28T00:40:00.000Z; starts in the window from Sun 2026-03-01 10:03 UTC",
    });
  });

  it("is not given before the moment that is planned, and is at that moment", () => {
    const changed: TargetRecord = { ...adopted, lastSuccessAt: at(-2_000) };
    const later = { ...changed, nextDue: plus(at(4), 1) };
    expect(decideStart(later, watched, at(4))).toStrictEqual({
      held: later,
      why: "policy quarterly: no rotation of target orders is due",
    });
    expect(decideStart(changed, watched, at(4))).toStrictEqual({
      held: changed,
      why: "policy quarterly: no rotation of target orders is due",
    });
    expect(decideStart({ ...changed, nextDue: at(4) }, watched, at(4))).toStrictEqual({
      intent: { at: at(4), requestedBy: "schedule", reason: "schedule" },
      why: "policy quarterly: due 1d after 2026-02-28T00:40:00.000Z; starts in the window from Sun 2026-03-01 10:03 UTC",
    });
  });

  it("answers a request without a grace with no grace", () => {
    const waiting = { ...request, notBefore: at(60), heldBy: "f" };
    const record = { ...adopted, lastSuccessAt: at(-2_000), nextDue: now, request: waiting };
    expect(decideStart(record, watched, at(4))).toStrictEqual({
      intent: { rotationId: "r1", reason: "schedule", requestedBy: "schedule", at: now },
      why: "policy quarterly: due 1d after 2026-02-28T00:40:00.000Z; starts in the window from Sun 2026-03-01 10:03 UTC",
    });
  });

  it("says that it is the first one when nothing is published", () => {
    const record = { ...newRecord("orders"), nextDue: at(4) };
    expect(decideStart(record, watched, at(4))).toMatchObject({ intent: { reason: "first" } });
  });

  it.each([
    ["an exposure whose clock ends before the age", 1, "exposure"],
    ["an age that ends before the clock of an exposure", 23 * 60 + 30, "schedule"],
    ["an age without an exposure", undefined, "schedule"],
  ])("of the schedule is for %s", (_what, exposedAfter, reason) => {
    const both = { ...target.policy, every: day, afterExposure: hour, spread: minute };
    const record: TargetRecord = {
      ...adopted,
      lastSuccessAt: now,
      nextDue: at(1),
      ...(exposedAfter !== undefined && {
        exposure: { at: at(exposedAfter), by: "ben", kind: "exposure" },
      }),
    };
    const permitted = decideStart(record, { ...target, policy: both }, plus(now, 2 * day));
    expect(permitted).toMatchObject({ intent: { reason } });
  });

  it("is given to a person in no freeze that only a breach lifts, though there was one", () => {
    const exposure = { at: at(-10), by: "ben", kind: "breach" } as const;
    const record = { ...adopted, lastSuccessAt: at(-2_000), request, exposure };
    expect(decideStart(record, watched, at(7))).toMatchObject({
      held: { request: { notBefore: at(20) } },
      why: "policy quarterly: frozen from 2026-03-01T10:05:00Z to 2026-03-01T10:20:00Z (f)",
    });
    const urgent = { ...record, request: { ...request, reason: "exposure" as const } };
    expect(decideStart(urgent, watched, at(7))).toStrictEqual({
      intent: urgent.request,
      why: "Requested by anna (cause: exposure); policy quarterly: no freeze applies",
    });
  });

  it("is given to a person in a freeze that is lifted for operators, and to nobody else", () => {
    const freeze = [
      { from: "2026-03-01", to: "2026-03-01", reason: "f", lift: ["operator"] },
    ] as const;
    const calm = { ...target, policy: { ...policy, freeze } };
    const record: TargetRecord = { ...adopted, lastSuccessAt: at(-2_000), nextDue: at(1) };
    expect(decideStart({ ...record, request }, calm, at(4))).toMatchObject({ intent: request });
    expect(decideStart(record, calm, at(4))).toHaveProperty("held");
    const exposed = { ...request, reason: "exposure" as const };
    expect(decideStart({ ...record, request: exposed }, calm, at(4))).toHaveProperty("held");
  });

  it("is asked of the windows again when the rotation that failed was one by schedule", () => {
    const asked = { reason: "schedule", requestedBy: "schedule", grace: 7 } as const;
    const again = { ...asked, why: "another try" };
    const record = { ...adopted, lastSuccessAt: at(-2_000), nextDue: at(1), again };
    expect(decideStart(record, watched, at(1))).toMatchObject({ held: { nextDue: at(3), again } });
    expect(decideStart(record, watched, at(3))).toStrictEqual({
      intent: { at: at(3), ...asked },
      why: "another try",
    });
  });

  it("is repeated for a person whose rotation failed, whatever the hours", () => {
    const asked = { reason: "operator", requestedBy: "anna", grace: 7 } as const;
    const again = { ...asked, why: "another try" };
    const record = { ...adopted, lastSuccessAt: now, nextDue: at(1), again };
    const given = { intent: { at: at(1), ...asked }, why: "another try" };
    expect(decideStart(record, watched, at(1))).toStrictEqual(given);
    const heldBy = "policy quarterly: frozen from 2026-03-01T10:05:00Z to 2026-03-01T10:20:00Z (f)";
    const held = { ...record, nextDue: at(20), dueReason: heldBy, again: { ...again, heldBy } };
    expect(decideStart({ ...record, nextDue: at(7) }, watched, at(7))).toStrictEqual({
      held,
      why: heldBy,
    });
    expect(decideStart({ ...held, nextDue: at(1) }, watched, at(1))).toStrictEqual(given);
  });
});

describe("an exposure", () => {
  const clock = { ...target, policy: { ...target.policy, afterExposure: hour } };
  const changed: TargetRecord = { ...adopted, lastSuccessAt: now, nextDue: at(9_000) };
  const seen = (minutes: number, more: object = {}) =>
    ({ at: at(minutes), by: "ben", kind: "exposure", ...more }) as const;

  it("that is older than the known one replaces it", () => {
    const first = acceptExposure(changed, clock, seen(5), at(9)).record;
    const { record } = acceptExposure(first, clock, seen(2, { by: "eva" }), at(9));
    expect(record.exposure).toMatchObject({ at: at(2), by: "eva" });
    expect(record.nextDue).toBe(at(62));
  });

  it("becomes a breach when one is reported, and stays it", () => {
    const breach = acceptExposure(changed, clock, seen(5, { kind: "breach" }), at(9)).record;
    const { record } = acceptExposure(breach, clock, seen(2), at(9));
    expect(record.exposure).toMatchObject({ at: at(2), kind: "breach" });
  });

  it("does not postpone an earlier due time", () => {
    const retrying = { ...changed, nextDue: at(10), dueReason: "another try" };
    const { record } = acceptExposure(retrying, clock, seen(5), at(9));
    expect(record).toMatchObject({ nextDue: at(10), dueReason: "another try" });
  });

  it("starts no clock when the policy has none, and is still recorded", () => {
    const { record, counted } = acceptExposure(changed, target, seen(5), at(9));
    expect(counted).toBe(false);
    expect(record.nextDue).toBe(at(9_000));
    expect(record.exposure?.by).toBe("ben");
  });

  const open = begun(changed).rotation;
  const published: Rotation = {
    ...open,
    published: version(2),
    phases: [
      { phase: "publishing", startedAt: at(1), endedAt: at(3) },
      { phase: "checking", startedAt: at(3) },
    ],
  };

  it.each([
    ["before the new secret may have been public", seen(1), false],
    ["after it may have been public, before the journal had its version", seen(2), true],
    ["after it was public", seen(4), true],
    ["of the version that was superseded", seen(4, { version: "1" }), false],
    ["of the version that is new", seen(2, { version: "2" }), true],
  ])("%s outlives the change or not", (_what, exposure, outlives) => {
    const record = { ...changed, rotation: published, exposure };
    const done = succeed(record, {
      rotation: published,
      target: clock,
      canRetire: true,
      now: at(6),
    });
    expect(done.exposure).toEqual(outlives ? { ...exposure, at: at(6) } : undefined);
    expect(done.nextDue).toBe(outlives ? at(66) : plus(at(6), 90 * day));
  });

  it("that came while a worker held the target is merged with its due time", () => {
    const theirs = acceptExposure(changed, clock, seen(5), at(5)).record;
    const working = { ...changed, rotation: open };
    expect(withTheirExposure(working, changed, theirs)).toEqual({
      ...working,
      exposure: theirs.exposure,
      nextDue: at(65),
      dueReason: theirs.dueReason,
      passedOver: theirs.passedOver,
    });
    expect(withTheirExposure(theirs, theirs, theirs)).toBe(theirs);
  });

  it("that came while the target was being changed is answered by the change", () => {
    const ours = { ...changed, rotation: open };
    const theirs = { ...ours, exposure: seen(5), nextDue: at(65) };
    const done: TargetRecord = { ...changed, lastSuccessAt: at(6) };
    expect(withTheirExposure(done, ours, theirs)).toBe(done);
    const late = { ...ours, rotation: published };
    expect(withTheirExposure(done, late, { ...theirs, rotation: published })).toMatchObject({
      exposure: { at: at(6) },
      nextDue: at(65),
    });
  });
});

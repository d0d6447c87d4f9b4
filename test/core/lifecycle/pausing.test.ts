import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { decideWork, findWakeTime } from "../../../shared/core/lifecycle/decide.ts";
import { acceptExposure } from "../../../shared/core/lifecycle/exposure.ts";
import {
  acceptPause,
  acceptResume,
  describeResume,
  requireEnd,
} from "../../../shared/core/lifecycle/pausing.ts";
import { describeStart } from "../../../shared/core/lifecycle/permit.ts";
import { acceptRequest, joinRequest } from "../../../shared/core/lifecycle/request.ts";
import { describeWait } from "../../../shared/core/lifecycle/retirement.ts";
import { describeWaiting } from "../../../shared/core/lifecycle/waiting.ts";
import { mergeConcurrent } from "../../../shared/core/record/merge-concurrent.ts";
import type { Rotation, TargetRecord } from "../../../shared/core/record/record.ts";
import { day, hour, plus } from "../../../shared/core/time.ts";
import { explainTarget } from "../../../shared/core/views.ts";
import { arbitraryUnclaimed } from "../arbitrary-record.ts";
import { arbitraryMoment } from "../arbitrary-request.ts";
import { adopted, at, begun, now, request, target } from "../orders.ts";

const pause = { reason: "move of the server", by: "anna", at: at(0), until: at(60) };
const force = { why: "ticket 42", by: "ben", at: at(1) };
const wanted = { reason: pause.reason, by: pause.by, until: pause.until };
const paused: TargetRecord = { ...adopted, lastSuccessAt: at(-9), nextDue: at(5), pause };
const text = `paused by anna until ${at(60)} (move of the server)`;
const waits = { until: at(60), why: `${text}; a request with force does not wait` };

describe("a pause", () => {
  it("replaces the end and the reason of the pause in force, and a repetition writes nothing", () => {
    const first = acceptPause(adopted, wanted, now);
    expect(first.record).toEqual({ ...adopted, pause });
    expect(first.replaced).toBeUndefined();
    const second = acceptPause(first.record, { ...wanted, until: at(90), by: "ben" }, at(3));
    expect(second.record.pause).toEqual({ ...pause, by: "ben", at: at(3), until: at(90) });
    expect(second.replaced).toEqual(pause);
    expect(acceptPause(first.record, wanted, at(3)).record).toBe(first.record);
    expect(acceptPause(first.record, wanted, at(60)).replaced).toBeUndefined();
  });

  it("ends in the future, within 90 days", () => {
    const ending = (until: string) => () => {
      requireEnd({ ...wanted, until }, now);
    };
    expect(ending(now)).toThrow("`until` must be in the future");
    expect(ending(at(-1))).toThrow("`until` must be in the future");
    expect(ending(at(1))).not.toThrow();
    expect(ending(plus(now, 90 * day))).not.toThrow();
    expect(ending(plus(now, 90 * day + 1))).toThrow("`until` must be at most 90d ahead");
  });

  it("counts for a rotation that was forced before it, although the clock went back", () => {
    const open = { ...begun().rotation, force: { ...force, at: at(9) } };
    const { record } = acceptPause({ ...adopted, rotation: open }, wanted, at(8));
    expect(record.pause?.at).toBe(plus(at(9), 1));
    expect(decideWork(record, at(10))).toBe("wait");
  });

  it("says what happens to the open rotation", () => {
    const effectOf = (record: TargetRecord) => acceptPause(record, wanted, now).effect;
    const none = `No rotation and no retirement starts before ${at(60)}.`;
    const { rotation } = begun();
    expect(effectOf(adopted)).toBe(none);
    expect(effectOf({ ...adopted, rotation: { ...rotation, phase: "blocked" } })).toBe(none);
    expect(effectOf(begun())).toBe(`${none} Rotation r1 has changed nothing and waits until then.`);
    expect(effectOf({ ...adopted, rotation: { ...rotation, changeBegan: true } })).toBe(
      `${none} Rotation r1 may have changed the password already, so Keyturn finishes it.`,
    );
  });

  it("is ended by a resume only if the caller has seen it", () => {
    expect(acceptResume(paused, pause, at(5))).toMatchObject({ ended: pause });
    expect(acceptResume(paused, pause, at(5)).record).not.toHaveProperty("pause");
    const newer = { ...pause, at: at(4) };
    expect(acceptResume({ ...paused, pause: newer }, pause, at(5))).toMatchObject({
      record: { pause: newer },
      newer,
    });
    expect(acceptResume(paused, undefined, at(5)).record).toBe(paused);
    expect(acceptResume(adopted, undefined, at(5))).toEqual({ record: adopted });
    expect(acceptResume(paused, pause, at(60))).toEqual({ record: paused });
    expect(describeResume({})).toBe("The target was not paused.");
    expect(describeResume({ ended: pause })).toBe(`The pause has ended: ${text}.`);
    expect(describeResume({ newer })).toContain("and this pause stays");
  });

  const { rotation: open } = begun();
  const notAdopted = {};
  const retirement = { account: "orders_a", at: at(2), rotationId: "r0", failures: 0 };
  it.each<[string, Partial<TargetRecord>, string, string | undefined]>([
    ["a due rotation waits for the end", {}, "wait", at(60)],
    ["a request waits for the end", { request }, "wait", at(60)],
    ["a forced request starts", { request: { ...request, force } }, "start", at(10)],
    [
      "a force from before the pause does not count",
      { request: { ...request, force: { ...force, at: at(-1) } } },
      "wait",
      at(60),
    ],
    [
      "a retry of a forced rotation starts",
      { again: { reason: "operator", requestedBy: "ben", why: "w", force } },
      "start",
      at(5),
    ],
    ["a retirement waits", { nextDue: at(999), retirement }, "wait", at(60)],
    ["an open rotation that has changed nothing waits", { rotation: open }, "wait", at(60)],
    ["a forced open rotation continues", { rotation: { ...open, force } }, "resume", at(10)],
    [
      "a rotation that may have changed the target continues",
      { rotation: { ...open, changeBegan: true } },
      "resume",
      at(10),
    ],
    [
      "a rotation of unknown outcome continues",
      { rotation: { ...open, outcomeInDoubt: true } },
      "resume",
      at(10),
    ],
    [
      "a check of the published secret is made",
      { check: { at: at(9), why: "doubt", failures: 0 } },
      "check",
      at(9),
    ],
    ["a target is adopted", notAdopted, "adopt", at(5)],
  ])("in force: %s", (_what, fields, work, wakeAt) => {
    const { adoptedAt, ...rest } = { ...paused, ...fields };
    const record = fields === notAdopted || adoptedAt === undefined ? rest : { ...rest, adoptedAt };
    expect(decideWork(record, at(10))).toBe(work);
    expect(findWakeTime(record, at(10))).toBe(wakeAt);
  });

  it("that has ended delays nothing, and is in force again if the clock goes back", () => {
    expect(decideWork(paused, at(60))).toBe("start");
    expect(decideWork(paused, plus(at(60), -1))).toBe("wait");
    expect(explainTarget(target, paused, at(60))).not.toHaveProperty("pause");
  });

  it("delays nothing but starts, reminders, retirements and rotations that have changed nothing", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const { pause: _, ...free } = record;
        const [work, without] = [decideWork(record, moment), decideWork(free, moment)];
        if (work === without) return;
        expect(["start", "remind", "retire", "resume"]).toContain(without);
        expect(record.pause?.until).toSatisfy((until: string) => until > moment);
      }),
      { numRuns: 2_000 },
    );
  });

  it("wakes the target at its end at the latest, and never at a moment at which there is nothing to do", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const wakeAt = findWakeTime(record, moment);
        if (wakeAt === undefined) return;
        const then = wakeAt > moment ? wakeAt : moment;
        expect(decideWork(record, then)).not.toBe("wait");
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("in a lost race", () => {
  const race = (local: TargetRecord, remote: TargetRecord, base = adopted) =>
    mergeConcurrent({ base, local, remote }, target, at(30));

  test("the pause that somebody made stays, with everything that the worker did", () => {
    const merged = race(begun(), { ...adopted, pause });
    expect(merged).toEqual({ ...begun(), pause });
    expect(decideWork({ ...merged, outbox: [] }, at(30))).toBe("wait");
  });

  test("a resume stays, and the newer pause after it", () => {
    const before = { ...adopted, pause };
    expect(race(before, adopted, before)).not.toHaveProperty("pause");
    const newer = { ...pause, at: at(20) };
    expect(race(before, { ...adopted, pause: newer }, before).pause).toEqual(newer);
  });
});

describe("a request for a paused target", () => {
  it("is accepted, and says until when and why it waits", () => {
    const { record, run } = acceptRequest(paused, request, target, at(1));
    expect(describeWaiting(record, "r1", target, at(1))).toEqual(waits);
    expect(run?.why).toBe(
      `Requested by anna (cause: operator); ${text}; policy quarterly: no freeze applies`,
    );
    expect(record.request).toEqual(request);
  });

  it("does not wait with a force, which the history keeps", () => {
    const { record, run } = acceptRequest(paused, { ...request, force }, target, at(1));
    expect(describeWaiting(record, "r1", target, at(1))).toBeUndefined();
    expect(run).toMatchObject({
      force,
      why: "Requested by anna (cause: operator); pause overridden by ben: ticket 42; policy quarterly: no freeze applies",
    });
  });

  it("that is forced joins the waiting one and the open one, which then continue", () => {
    const { record } = acceptRequest(paused, request, target, at(1));
    const forced = { ...request, rotationId: "r2", force };
    const joined = acceptRequest(record, forced, target, at(1));
    expect(joined.rotationId).toBe("r1");
    expect(joined.record.request).toMatchObject({ rotationId: "r1", force });
    expect(decideWork(joined.record, at(1))).toBe("start");
    const open: TargetRecord = { ...begun(paused), outbox: [] };
    expect(describeWaiting(open, "r1", target, at(1))).toEqual(waits);
    const added = acceptRequest(open, forced, target, at(1)).record;
    const continued = joinRequest(added, at(1));
    expect(continued.rotation).toMatchObject({ force });
    expect(decideWork(continued, at(1))).toBe("resume");
    expect(describeWaiting(continued, "r1", target, at(1))).toBeUndefined();
  });

  it("keeps the later of two forces, because a force counts for earlier pauses only", () => {
    const late = { ...force, at: at(9) };
    const first = acceptRequest(paused, { ...request, force }, target, at(1)).record;
    const second = acceptRequest(first, { ...request, force: late }, target, at(9)).record;
    expect(second.request?.force).toEqual(late);
    const third = acceptRequest(second, { ...request, rotationId: "r3" }, target, at(10));
    expect(third.record.request?.force).toEqual(late);
  });

  it("does not lift freezes with a force alone", () => {
    const freeze = [
      { from: "2026-03-01", to: "2026-03-02", reason: "f", lift: [] as const },
    ] as const;
    const frozen = { ...target, policy: { ...target.policy, freeze } };
    const { record } = acceptRequest(paused, { ...request, force }, frozen, at(1));
    expect(record.request?.notBefore).toBe("2026-03-03T00:00:00.000Z");
    expect(describeStart({ ...request, force }, paused, frozen, at(1)).why).toContain("frozen");
  });

  it("waits for the pause also while another rotation must end first", () => {
    const { rotation } = begun(paused);
    const published: Rotation = { ...rotation, id: "r0", phase: "publishing" };
    const record = { ...paused, rotation: published, request };
    expect(describeWaiting(record, "r1", target, at(1))).toEqual({
      until: at(60),
      why: `rotation r0 of the target must end first; ${waits.why}`,
    });
  });
});

describe("the view of a paused target", () => {
  it("shows the pause, and no rotation before its end", () => {
    expect(explainTarget(target, { ...paused, dueReason: "90d" }, at(1))).toMatchObject({
      pause,
      nextDue: plus(at(-9), 90 * day),
    });
  });

  it("shows the next window after the end", () => {
    const policy = { ...target.policy, every: hour, between: [{ from: "11:30", to: "12:00" }] };
    const record = { ...paused, lastSuccessAt: at(-999), dueReason: "1h are over" };
    expect(explainTarget({ ...target, policy }, record, at(10))).toMatchObject({
      nextDue: at(90),
      dueReason: `1h are over; ${text}`,
    });
  });

  it("shows the retirement at the end of the pause", () => {
    const retirement = { account: "orders_b", at: at(2), rotationId: "r0", failures: 0 };
    const record = { ...paused, retirement };
    const waitsFor = `the end of the pause: the target is ${text}`;
    expect(describeWait(record)).toBe(waitsFor);
    expect(explainTarget(target, record, at(1)).retirement).toEqual({
      account: "orders_b",
      at: at(60),
      waitsFor,
    });
  });
});

test("An exposure of a paused target counts, and its answer says that the pause delays the change", () => {
  const policy = { ...target.policy, afterExposure: 60_000 };
  const exposure = { at: at(2), by: "eva", kind: "exposure" } as const;
  const { record: _, ...outcome } = acceptExposure(
    { ...paused, nextDue: at(9_000) },
    { ...target, policy },
    exposure,
    at(2),
  );
  expect(outcome).toMatchObject({ counted: true, nextDue: at(60) });
  expect(outcome.why).toContain(`the target is ${text}, which delays the change`);
  expect(outcome.why).toContain("request a rotation with cause exposure and force");
});

import { describe, expect, it } from "vitest";
import {
  acceptExposure,
  findUnansweredExposure,
  withTheirExposure,
} from "../../../shared/core/lifecycle/exposure.ts";
import { toFacts } from "../../../shared/core/record/due.ts";
import type { Exposure, TargetRecord } from "../../../shared/core/record/record.ts";
import { hour } from "../../../shared/core/time.ts";
import { adopted, at, begun, now, target, version } from "../orders.ts";

const clock = {
  ...target,
  policy: { ...target.policy, afterExposure: hour, exemptIdentities: ["*@audit.example"] },
};
const changed: TargetRecord = { ...adopted, lastSuccessAt: now, nextDue: at(9_000) };
const seen = (minutes: number, more: Partial<Exposure> = {}): Exposure => ({
  at: at(minutes),
  by: "ben",
  kind: "exposure",
  ...more,
});
const accept = (record: TargetRecord, exposure: Exposure) =>
  acceptExposure(record, clock, exposure, at(9));

describe("an exposure that is reported", () => {
  it("starts the clock and is stored as reported", () => {
    const exposure = seen(5, { from: "a log", version: "1" });
    const why = `policy quarterly: due 1h after the exposure at ${at(5)}`;
    expect(accept(changed, exposure)).toStrictEqual({
      counted: true,
      why,
      nextDue: at(65),
      record: {
        ...changed,
        exposure,
        exposedVersions: ["1"],
        nextDue: at(65),
        dueReason: why,
        passedOver: [{ at: "2026-05-30T10:00:00.000Z", why: `later: due 90d after ${now}` }],
      },
    });
  });

  it.each<[string, TargetRecord, Exposure, string]>([
    [
      "by somebody who may see the secret",
      changed,
      seen(5, { by: "Eva@audit.example" }),
      "policy quarterly: Eva@audit.example may see the secret",
    ],
    [
      "before the last change",
      changed,
      seen(-1),
      `the secret was changed after the exposure, at ${at(0)}`,
    ],
    [
      "of a version that is not in use",
      changed,
      seen(5, { version: "7" }),
      "the reported version is not in use",
    ],
  ])("%s changes nothing, and says why", (_what, record, exposure, why) => {
    const accepted = accept(record, exposure);
    expect(accepted).toStrictEqual({ counted: false, why, nextDue: at(9_000), record });
    expect(accepted.record).toBe(record);
  });

  it.each<[string, TargetRecord, Exposure]>([
    ["at the very moment of the last change", changed, seen(0)],
    ["of a secret that nobody knows to have changed", adopted, seen(-50)],
    ["of the version that another account has now", withOther(changed), seen(5, { version: "2" })],
    [
      "of the published version, though no account is known to have it",
      { ...changed, slots: [] },
      seen(5, { version: "1" }),
    ],
    ["of any version while none is published", withoutPublished(), seen(5, { version: "7" })],
  ])("%s counts", (_what, record, exposure) => {
    const accepted = accept(record, exposure);
    expect(accepted.counted).toBe(true);
    expect(accepted.record.exposure).toStrictEqual(exposure);
  });

  it("counts only as the first one since the last change, and the known one wins at the same time", () => {
    const known = { ...changed, exposure: seen(5, { by: "eva" }) };
    expect(accept(known, seen(7)).record.exposure?.by).toBe("eva");
    expect(accept(known, seen(5)).record.exposure?.by).toBe("eva");
    expect(accept(known, seen(3)).record.exposure?.by).toBe("ben");
  });

  it("keeps when the secret was seen last, and counts for a change in between from that change", () => {
    const known = { ...changed, exposure: seen(5, { by: "eva" }) };
    const twice = accept(accept(known, seen(7)).record, seen(6)).record;
    expect(twice.exposure).toMatchObject({ at: at(5), lastAt: at(7) });
    const changedSince = (minutes: number) => ({ ...twice, lastSuccessAt: at(minutes) });
    expect(findUnansweredExposure(changedSince(5))?.at).toBe(at(5));
    expect(findUnansweredExposure(changedSince(7))?.at).toBe(at(7));
    expect(findUnansweredExposure(changedSince(8))).toBeUndefined();
    expect(toFacts(changedSince(6)).exposedAt).toBe(at(6));
    expect(toFacts(changedSince(8)).exposedAt).toBe(at(5));
  });

  it("is the first one again when the one that is known was answered by a change", () => {
    const answered = { ...changed, exposure: seen(-5, { by: "eva", kind: "breach" }) };
    expect(accept(answered, seen(5)).record.exposure).toStrictEqual(seen(5));
    const atOnce = { ...changed, exposure: seen(0, { by: "eva" }) };
    expect(accept(atOnce, seen(5)).record.exposure?.by).toBe("eva");
    const unchanged = { ...adopted, exposure: seen(-5, { by: "eva" }) };
    expect(accept(unchanged, seen(5)).record.exposure?.by).toBe("eva");
  });

  it("is a breach only when one was reported", () => {
    const known = { ...changed, exposure: seen(5) };
    expect(accept(known, seen(7)).record.exposure?.kind).toBe("exposure");
    expect(accept(known, seen(7, { kind: "breach" })).record.exposure).toStrictEqual(
      seen(5, { kind: "breach", lastAt: at(7) }),
    );
  });

  it("schedules nothing for a target that was never adopted, and a rotation for an adopted one", () => {
    const { adoptedAt: _, ...strange } = changed;
    expect(accept(strange, seen(5)).record).toMatchObject({ ...strange, exposure: seen(5) });
    const { nextDue: __, ...unplanned } = changed;
    expect(accept(unplanned, seen(5)).record.nextDue).toBe(at(65));
  });

  it("leaves the schedule unchanged when exposures do not start rotations", () => {
    const { every: _, ...byHand } = target.policy;
    const manual = { ...target, policy: { ...byHand, manualOnly: true } };
    const { record, counted } = acceptExposure(changed, manual, seen(5), at(9));
    expect(counted).toBe(false);
    expect(record).toStrictEqual({ ...changed, exposure: seen(5), exposedVersions: ["1"] });
  });

  it("leaves the reason unchanged when a rotation is scheduled for the same time", () => {
    const planned = { ...changed, nextDue: at(65), dueReason: "another try" };
    expect(accept(planned, seen(5)).record.dueReason).toBe("another try");
  });
});

describe("an exposure reported while a worker works", () => {
  const working = begun(changed);
  const theirs = { ...working, exposure: seen(5), nextDue: at(65), dueReason: "1h after" };

  it("is not merged twice", () => {
    const ours = { ...working, exposure: seen(5) };
    const next = { ...ours, failures: 1 };
    expect(withTheirExposure(next, ours, theirs)).toBe(next);
    const { exposure: _, ...none } = theirs;
    expect(withTheirExposure(next, ours, none)).toBe(next);
  });

  it("brings its due time when that is earlier", () => {
    const taken = (nextDue: string) => withTheirExposure({ ...working, nextDue }, working, theirs);
    expect(taken(at(66))).toMatchObject({ nextDue: at(65), dueReason: "1h after" });
    expect(taken(at(64))).toStrictEqual({ ...working, nextDue: at(64), exposure: seen(5) });
    const sameMoment = { ...working, nextDue: at(65), dueReason: "ours" };
    expect(withTheirExposure(sameMoment, working, theirs).dueReason).toBe("ours");
    const { nextDue: _, ...unplanned } = working;
    expect(withTheirExposure(unplanned, working, theirs).nextDue).toBe(at(65));
  });

  it("brings no due time when it has none", () => {
    const { nextDue: _n, dueReason: _r, ...bare } = theirs;
    expect(withTheirExposure(working, working, bare)).toStrictEqual({
      ...working,
      exposure: seen(5),
    });
  });

  it("counts from the change if the new secret may have been public before", () => {
    const done: TargetRecord = { ...changed, lastSuccessAt: at(6), published: version(2) };
    const publishing = { ...working.rotation, phases: [{ phase: "publishing", startedAt: at(4) }] };
    const ours = { ...working, rotation: publishing } as TargetRecord;
    expect(withTheirExposure(done, ours, theirs)).toMatchObject({
      exposure: seen(6),
      exposedVersions: ["2"],
    });
    expect(withTheirExposure(done, working, theirs)).toBe(done);
  });

  it("of an account that the worker found superseded by hand stays due", () => {
    const before = { ...changed, published: version(1) };
    const slots = [...before.slots, { account: "orders_b", current: version(2), changedAt: at(6) }];
    const next: TargetRecord = { ...before, active: "orders_b", published: version(2), slots };
    const reported = { ...before, exposure: seen(5) };
    expect(withTheirExposure(next, before, reported).exposure).toEqual(seen(6, { version: "1" }));
  });

  it("is answered by a change without a rotation of the worker", () => {
    const done: TargetRecord = { ...changed, lastSuccessAt: at(6) };
    expect(withTheirExposure(done, changed, { ...changed, exposure: seen(5) })).toBe(done);
  });
});

function withOther(record: TargetRecord): TargetRecord {
  const slots = [...record.slots, { account: "orders_b", current: version(2) }];
  return { ...record, slots: [{ account: "orders_c" }, ...slots] };
}

function withoutPublished(): TargetRecord {
  const { published: _, lastSuccessAt: __, ...rest } = changed;
  return rest;
}

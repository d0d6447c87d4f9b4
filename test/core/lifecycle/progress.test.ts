import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { notify } from "../../../shared/core/lifecycle/notifications.ts";
import {
  advance,
  beginRotation,
  succeed,
  toRunRecord,
} from "../../../shared/core/lifecycle/progress.ts";
import type { Rotation, TargetRecord } from "../../../shared/core/record/record.ts";
import { findPublicAt } from "../../../shared/core/record/rotation.ts";
import { day, hour, plus } from "../../../shared/core/time.ts";
import { arbitraryRotation } from "../arbitrary-record.ts";
import { adopted, at, begun, failure, grounds, now, request, target, version } from "../orders.ts";

describe("a rotation that begins", () => {
  it("removes its request from the record and notifies", () => {
    const after = begun({ ...adopted, nextDue: now });
    expect(after.request).toBeUndefined();
    expect(after.rotation).toMatchObject({ id: "r1", phase: "staging", changeBegan: false });
    expect(after.outbox.map(({ id }) => id)).toEqual(["orders/r1/rotation.started"]);
  });

  it("keeps the requested grace", () => {
    const after = beginRotation(adopted, {
      account: "orders_b",
      request: { ...request, grace: 0 },
      grounds,
      now,
    });
    expect(after.rotation?.grace).toBe(0);
  });
});

describe("a rotation that moves on", () => {
  it("forgets its failures, and closes one phase as it opens the next", () => {
    const failed = { ...begun().rotation, failures: 2, nextAttemptAt: at(9) };
    const moved = advance(failed, "applying", { pending: version(2) }, at(1));
    expect(moved).toMatchObject({ phase: "applying", failures: 0, pending: version(2) });
    expect(moved).not.toHaveProperty("nextAttemptAt");
    expect(moved.phases).toEqual([
      { phase: "staging", startedAt: now, endedAt: at(1) },
      { phase: "applying", startedAt: at(1) },
    ]);
  });

  it("remembers its first publication, however often it goes back", () => {
    const publishing = advance(begun().rotation, "publishing", {}, at(1));
    const moved = Array.from({ length: 60 }).reduce<Rotation>(
      (rotation, _, index) =>
        advance(rotation, index % 2 === 0 ? "applying" : "publishing", {}, at(index + 2)),
      publishing,
    );
    expect(moved.phases).toHaveLength(20);
    expect(findPublicAt(moved)).toBe(at(1));
    expect(moved.phases.at(-1)?.startedAt).toBe(at(61));
  });

  it("keeps all fields except new ones", () => {
    fc.assert(
      fc.property(arbitraryRotation, (rotation) => {
        const moved = advance(rotation, "checking", { published: version(3) }, now);
        const { nextAttemptAt: _, heldBy: _h, throttledSince: _t, ...kept } = rotation;
        const { phases, failures, furthest } = moved;
        const learnt = { phase: "checking", published: version(3) };
        expect(moved).toEqual({ ...kept, ...learnt, phases, failures, furthest });
      }),
    );
  });

  it("does not apply the confirmation of one secret to another", () => {
    const confirmed = { ...begun().rotation, pending: version(2), confirmedAt: now };
    expect(advance(confirmed, "publishing", {}, now).confirmedAt).toBe(now);
    const anew = advance(confirmed, "applying", { pending: version(3) }, now);
    expect(anew).not.toHaveProperty("confirmedAt");
  });
});

describe("a rotation that succeeds", () => {
  const finished = (record: TargetRecord, rotation: Rotation, retire = true) =>
    succeed(record, {
      rotation: { ...rotation, published: version(2) },
      target,
      canRetire: retire,
      now: at(7),
    });

  it("makes the other account the published one and plans the next rotation", () => {
    const record = begun({
      ...adopted,
      failures: 2,
      lastFailure: failure("bug"),
      health: "failing",
    });
    const done = finished(record, record.rotation);
    expect(done).toMatchObject({
      health: "healthy",
      failures: 0,
      active: "orders_b",
      published: version(2),
      lastSuccessAt: at(7),
      nextDue: plus(at(7), 90 * day),
    });
    expect(done.slots).toEqual([
      { account: "orders_a", current: version(1) },
      { account: "orders_b", current: version(2), changedAt: at(7) },
    ]);
    expect(done).not.toHaveProperty("rotation");
    expect(done).not.toHaveProperty("lastFailure");
  });

  it("retires the account it supersedes after the grace that holds", () => {
    const record = begun();
    expect(finished(record, record.rotation).retirement).toEqual({
      account: "orders_a",
      at: plus(at(7), hour),
      rotationId: "r1",
      failures: 0,
    });
    expect(finished(record, { ...record.rotation, grace: 0 }).retirement?.at).toBe(at(7));
  });

  it("never retires the account it has just changed, nor what cannot be retired", () => {
    const record = begun();
    const inPlace = { ...record.rotation, account: "orders_a" };
    expect(finished(record, inPlace)).not.toHaveProperty("retirement");
    expect(finished(record, record.rotation, false)).not.toHaveProperty("retirement");
    const { active: _, ...first } = record;
    expect(finished(first, record.rotation)).not.toHaveProperty("retirement");
  });

  it("keeps a request that came in the meantime", () => {
    const record = begun();
    const later = { ...request, rotationId: "r2" };
    expect(finished({ ...record, request: later }, record.rotation).request).toEqual(later);
  });

  it("must have published something", () => {
    const record = begun();
    expect(() =>
      succeed(record, { rotation: record.rotation, target, canRetire: true, now }),
    ).toThrow(RangeError);
  });

  it("has no next moment when only a person starts rotations", () => {
    const { every: _, ...manual } = target.policy;
    const record = begun({ ...adopted, nextDue: now });
    const done = succeed(record, {
      rotation: { ...record.rotation, published: version(2) },
      target: { ...target, policy: manual },
      canRetire: true,
      now,
    });
    expect(done).not.toHaveProperty("nextDue");
  });
});

describe("the outbox", () => {
  it("is bounded: the oldest notification is dropped", () => {
    let record = adopted;
    for (let number = 0; number < 50; number++) {
      record = notify(record, { type: "alarm", at: now, data: { version: `${number}` } });
    }
    expect(record.outbox).toHaveLength(20);
    expect(record.outbox.at(0)?.data["version"]).toBe("30");
    expect(record.outbox.at(-1)?.data["version"]).toBe("49");
  });

  it("has a notification once, however often it is repeated", () => {
    const once = notify(begun(), {
      type: "drift.found",
      at: now,
      data: { version: "7", detail: "a" },
    });
    let often: TargetRecord = once;
    for (let times = 0; times < 30; times++) {
      often = notify(often, {
        type: "drift.found",
        at: at(times),
        data: { version: "7", detail: "b" },
      });
    }
    expect(often.outbox.map(({ id }) => id)).toEqual(once.outbox.map(({ id }) => id));
    expect(often.outbox.at(-1)).toMatchObject({ at: at(29), data: { detail: "b" } });
  });

  it("has the same id for the same event after a crash", () => {
    const first = begun();
    const again = beginRotation(
      { ...adopted, request },
      { account: "orders_b", request, grounds, now: at(3) },
    );
    expect(again.outbox.map(({ id }) => id)).toEqual(first.outbox.map(({ id }) => id));
    const end = (moment: string) =>
      succeed(first, {
        rotation: { ...first.rotation, published: version(2) },
        target,
        canRetire: true,
        now: moment,
      }).outbox;
    expect(end(at(1)).map(({ id }) => id)).toEqual(end(at(2)).map(({ id }) => id));
  });
});

describe("the history row of a rotation", () => {
  const rotation = { ...begun().rotation, published: version(2) };

  const planned = { ...adopted, nextDue: at(90), dueReason: "90d are over" };

  it("is closed when the rotation has ended, and says what comes next", () => {
    for (const state of ["done", "failed"] as const) {
      const run = toRunRecord(rotation, {
        record: planned,
        state,
        now: at(4),
        failure: failure("bug"),
      });
      expect(run).toMatchObject({ nextDue: at(90), dueReason: "90d are over", ...grounds });
      expect(run).toMatchObject({ state, endedAt: at(4), published: version(2) });
      expect(run.phases.every(({ endedAt }) => endedAt === at(4))).toBe(true);
    }
  });

  it("is open while the rotation may go on", () => {
    for (const state of ["running", "blocked"] as const) {
      const run = toRunRecord(rotation, { record: planned, state, now: at(4) });
      expect(run).toMatchObject(grounds);
      expect(run).not.toHaveProperty("nextDue");
      expect(run).not.toHaveProperty("dueReason");
      expect(run).not.toHaveProperty("endedAt");
      expect(run.phases).toEqual(rotation.phases);
    }
  });
});

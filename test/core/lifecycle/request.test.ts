import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideWork } from "../../../shared/core/lifecycle/decide.ts";
import { acceptRequest, isJoined, joinRequest } from "../../../shared/core/lifecycle/request.ts";
import { fingerprintPolicy } from "../../../shared/core/policy/policy.ts";
import {
  recordSchema,
  type Rotation,
  type TargetRecord,
} from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { minute, plus } from "../../../shared/core/time.ts";
import { arbitraryUnclaimed } from "../arbitrary-record.ts";
import { arbitraryMoment, arbitraryRequest } from "../arbitrary-request.ts";
import { target } from "../orders.ts";

const now = "2026-03-01T10:00:00.000Z";
const adopted: TargetRecord = { ...newRecord("orders"), health: "healthy", adoptedAt: now };
const request = { rotationId: "mine", reason: "operator", requestedBy: "anna", at: now } as const;
const other = { ...request, rotationId: "theirs", requestedBy: "ben" } as const;
const ref = { vault: "main", name: "orders-db", version: "1" };
const rotation: Rotation = {
  id: "open",
  account: "orders_a",
  reason: "schedule",
  requestedBy: "schedule",
  requestedAt: now,
  why: "90d are over",
  policyFingerprint: "f",
  phase: "applying",
  startedAt: now,
  phases: [{ phase: "applying", startedAt: now }],
  furthest: "applying",
  pending: ref,
  changeBegan: true,
  failures: 2,
};

const given = { by: "import", account: "orders_a", ref, mayApply: true } as const;

const publicPhases = ["publishing", "checking", "refreshing", "cleaning"];

describe("a request for a rotation", () => {
  it("waits for its own when none is open, and is written into the history", () => {
    expect(acceptRequest(adopted, request, target, now)).toEqual({
      rotationId: "mine",
      record: { ...adopted, request },
      run: {
        schema: recordSchema,
        rotationId: "mine",
        targetId: "orders",
        state: "queued",
        reason: "operator",
        requestedBy: "anna",
        requestedAt: now,
        why: "Requested by anna (cause: operator); policy quarterly: no freeze applies",
        policyFingerprint: fingerprintPolicy(target.policy),
        phases: [],
      },
    });
  });

  it("joins an open rotation that has published nothing, and hurries it", () => {
    const waiting = { ...rotation, nextAttemptAt: plus(now, minute) };
    const record = { ...adopted, rotation: waiting };
    expect(decideWork(record, now)).toBe("wait");
    const accepted = acceptRequest(record, request, target, now);
    const joined = { ...request, rotationId: "open" };
    expect(accepted).toEqual({ rotationId: "open", record: { ...record, request: joined } });
    expect(decideWork(accepted.record, now)).toBe("join");
    const hurried = joinRequest(accepted.record, now);
    expect(hurried).toEqual({ ...adopted, rotation });
    expect(decideWork(hurried, now)).toBe("resume");
  });

  it.each(["blocked", "applying", "publishing", "checking"] as const)(
    "hurries the open rotation (%s) that must end before its own, and stays in the queue",
    (phase) => {
      const waits = { ...rotation, phase, nextAttemptAt: plus(now, minute) };
      for (const open of [waits, { ...waits, given }]) {
        for (const queued of [undefined, other]) {
          const record = { ...adopted, rotation: open, ...(queued && { request: queued }) };
          const accepted = acceptRequest(record, request, target, now);
          if (accepted.rotationId === "open") continue;
          const { rotationId } = queued ?? request;
          expect(accepted).toMatchObject({ rotationId, run: { state: "queued", rotationId } });
          expect(accepted.record.request).toMatchObject({ rotationId, hurries: "open" });
          expect(decideWork(accepted.record, now)).toBe("join");
          const hurried = joinRequest(accepted.record, now);
          expect(hurried.request).toEqual(queued ?? request);
          expect(hurried.rotation).toMatchObject({ id: "open", requestedBy: "schedule" });
          expect(hurried.rotation?.nextAttemptAt).toBeUndefined();
          expect(decideWork(hurried, now)).toBe("resume");
        }
      }
    },
  );

  it.each(["refreshing", "cleaning"] as const)(
    "uses up no try of a rotation that is %s",
    (phase) => {
      const waits = { ...rotation, phase, published: ref, nextAttemptAt: plus(now, minute) };
      const accepted = acceptRequest({ ...adopted, rotation: waits }, request, target, now);
      expect(accepted.record.request).toEqual(request);
      expect(decideWork(accepted.record, now)).toBe("wait");
    },
  );

  it("does not end what delays the rotation before it in spite of any request", () => {
    const until = "2026-03-03T00:00:00.000Z";
    const freeze = { from: "2026-03-01", to: "2026-03-02", lift: [], reason: "year end" };
    const frozen = { ...target, policy: { ...target.policy, freeze: [freeze] } };
    const held = { ...rotation, changeBegan: false, given, nextAttemptAt: until, heldBy: "frozen" };
    const accepted = acceptRequest({ ...adopted, rotation: held }, request, frozen, now);
    expect(accepted.record.request).not.toHaveProperty("hurries");
  });

  it("of a person replaces who and what requested the rotation of a linked target", () => {
    const linked = { ...other, reason: "linked", requestedBy: "keyturn" } as const;
    const { record } = acceptRequest({ ...adopted, request: linked }, request, target, now);
    expect(record.request).toMatchObject({ reason: "operator", requestedBy: "anna" });
    const again = acceptRequest(record, linked, target, now);
    expect(again.record).toBe(record);
  });

  it("does not join a request of a rotation whose secret is already public", () => {
    const joined = { ...other, rotationId: "open" };
    const record = { ...adopted, rotation: { ...rotation, published: ref }, request: joined };
    const accepted = acceptRequest(record, request, target, now);
    expect(accepted.rotationId).toBe("mine");
    expect(accepted.record).toEqual({ ...record, request });
    expect(accepted.run?.state).toBe("queued");
  });

  it("waits for its own rotation when the open one has already published", () => {
    const record = { ...adopted, rotation: { ...rotation, published: ref } };
    const accepted = acceptRequest(record, request, target, now);
    expect(accepted.rotationId).toBe("mine");
    expect(accepted.record).toEqual({ ...record, request });
    expect(accepted.run?.state).toBe("queued");
  });

  it("joins another that waits, without a second row in the history", () => {
    const record = { ...adopted, request: other };
    expect(acceptRequest(record, request, target, now)).toEqual({ rotationId: "theirs", record });
  });

  it("brings a blocked rotation back to trying the target, and its history shows that", () => {
    const phases = [{ phase: "applying", startedAt: now, endedAt: now }] as const;
    const record = { ...adopted, rotation: { ...rotation, phase: "blocked", phases } } as const;
    const later = plus(now, minute);
    const accepted = acceptRequest(record, request, target, later);
    expect(accepted.rotationId).toBe("open");
    expect(decideWork(accepted.record, later)).toBe("join");
    const freed = joinRequest(accepted.record, later);
    expect(freed.rotation).toEqual({
      ...rotation,
      failures: 0,
      phases: [...phases, { phase: "applying", startedAt: later }],
    });
    expect(freed.health).toBe("failing");
    expect(decideWork(freed, later)).toBe("resume");
  });

  it("hands its grace on to the rotation that answers it", () => {
    const urgent = { ...request, grace: 0 };
    const joined = acceptRequest({ ...adopted, rotation }, urgent, target, now).record;
    expect(joinRequest(joined, now).rotation?.grace).toBe(0);
    expect(acceptRequest(adopted, urgent, target, now).record.request?.grace).toBe(0);
  });

  it("that joins another makes it stricter and never milder", () => {
    const exposed = { ...other, reason: "exposure", grace: 0 } as const;
    const record = { ...adopted, request: { ...exposed, notBefore: plus(now, minute) } };
    expect(acceptRequest(record, { ...request, grace: 5 }, target, now).record).toBe(record);
    const mild = { ...adopted, request: { ...other, grace: 5, notBefore: plus(now, minute) } };
    const why = "Requested by ben (cause: operator); then by eva (cause: exposure)";
    const accepted = acceptRequest(
      mild,
      { ...exposed, requestedBy: "eva", rotationId: "x" },
      target,
      now,
    );
    expect(accepted.record.request).toEqual({ ...exposed, requestedBy: "eva", why });
    expect(accepted.run).toMatchObject({
      rotationId: "theirs",
      state: "queued",
      reason: "exposure",
      requestedBy: "eva",
      why: `${why}; policy quarterly: no freeze applies`,
    });
  });

  it("without a grace keeps the grace of the earlier request", () => {
    const record = { ...adopted, rotation: { ...rotation, grace: 5 } };
    expect(
      joinRequest(acceptRequest(record, request, target, now).record, now).rotation?.grace,
    ).toBe(5);
  });
});

/** Only the engine postpones a request; callers never request a later time. */
const wish = arbitraryRequest.map(({ notBefore: _n, heldBy: _h, ...rest }) => rest);

describe("any request", () => {
  const some = { record: arbitraryUnclaimed, request: wish, at: arbitraryMoment };

  it("is answered with a rotation that the record knows of", () => {
    fc.assert(
      fc.property(fc.record(some), ({ record, request: wanted, at }) => {
        const accepted = acceptRequest(record, wanted, target, at);
        const { rotation: open, request: waiting } = accepted.record;
        expect([waiting?.rotationId, open?.id]).toContain(accepted.rotationId);
        if (open?.id === accepted.rotationId) expect(open.published).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it("may be made again: the same rotation answers, and nothing else changes", () => {
    fc.assert(
      fc.property(fc.record(some), ({ record, request: wanted, at }) => {
        const once = acceptRequest(record, wanted, target, at);
        const twice = acceptRequest(once.record, wanted, target, at);
        expect(twice.rotationId).toBe(once.rotationId);
        expect(twice.record).toBe(once.record);
        if (twice.run) expect(twice.run).toEqual(once.run);
      }),
      { numRuns: 1_000 },
    );
  });

  it("changes nothing but the request that waits, and replaces only one that is answered", () => {
    fc.assert(
      fc.property(fc.record(some), ({ record, request: wanted, at }) => {
        const { record: after } = acceptRequest(record, wanted, target, at);
        const { request: before, ...rest } = record;
        expect(after).toEqual(after.request ? { ...rest, request: after.request } : rest);
        const { phase, published, given } = record.rotation ?? {};
        const mayBePublic = phase !== undefined && publicPhases.includes(phase);
        // A request joined an import or an undo only to make it continue when it was blocked.
        const hasContinued = given !== undefined && phase !== "blocked";
        const isOver = published !== undefined || mayBePublic || hasContinued;
        const isAnswered = isOver && isJoined(record);
        if (before && !isAnswered) expect(after.request?.rotationId).toBe(before.rotationId);
      }),
      { numRuns: 1_000 },
    );
  });

  it("that is joined to the open rotation loses none of its secrets and makes it due", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (found, at) => {
        const { restUntil: _r, skipped: _s, pause: _p, ...record } = found;
        fc.pre(isJoined(record));
        expect(decideWork(record, at)).toBe("join");
        const joined = joinRequest(record, at);
        const { rotation: open } = record;
        for (const key of [
          "id",
          "pending",
          "published",
          "changeBegan",
          "outcomeInDoubt",
        ] as const) {
          expect(joined.rotation?.[key]).toEqual(open?.[key]);
        }
        expect(joined.slots).toEqual(record.slots);
        expect(joined.request).toBeUndefined();
        expect(decideWork(joined, at)).toBe("resume");
      }),
      { numRuns: 1_000 },
    );
  });
});

it("a rotation keeps a readable part of reasons and names of any length", () => {
  const long = "👋".repeat(10_000);
  const asked = acceptRequest(
    { ...adopted, rotation: { ...rotation, changeBegan: false, why: long } },
    { ...request, requestedBy: long },
    target,
    now,
  );
  const { rotation: joined } = joinRequest(asked.record, now);
  expect(joined?.requestedBy.length).toBeLessThanOrEqual(200);
  expect(joined?.why).toMatch(/^(👋)+; then requested by (👋)+ \(cause: operator\)$/u);
  expect(joined?.why.length).toBeLessThanOrEqual(1_000);
});

it("a blocked rotation that is requested repeatedly remembers only its latest phases", () => {
  let record: TargetRecord = { ...adopted, rotation };
  for (let round = 0; round < 500; round++) {
    const blocked: TargetRecord = {
      ...record,
      rotation: { ...rotation, ...record.rotation, phase: "blocked" },
    };
    record = joinRequest({ ...blocked, request: { ...request, rotationId: rotation.id } }, now);
  }
  expect(record.rotation?.phases).toHaveLength(20);
});

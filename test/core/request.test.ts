import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideWork } from "../../shared/core/decide.ts";
import { acceptRequest } from "../../shared/core/request.ts";
import { newRecord, type Rotation, type TargetRecord } from "../../shared/core/rotation.ts";
import { plus, minute } from "../../shared/core/time.ts";
import {
  arbitraryMoment,
  arbitraryRequest,
  arbitraryRotation,
  arbitraryUnclaimed,
} from "./arbitrary-record.ts";

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
  phase: "applying",
  startedAt: now,
  phases: [{ phase: "applying", startedAt: now }],
  furthest: "applying",
  pending: ref,
  changeBegan: true,
  failures: 2,
};

describe("a request for a rotation", () => {
  it("waits for its own when none is open, and is written into the history", () => {
    expect(acceptRequest(adopted, request, now)).toEqual({
      rotationId: "mine",
      record: { ...adopted, request },
      run: {
        schema: 1,
        rotationId: "mine",
        targetId: "orders",
        state: "queued",
        reason: "operator",
        requestedBy: "anna",
        requestedAt: now,
        phases: [],
      },
    });
  });

  it("joins an open rotation that has published nothing, and hurries it", () => {
    const waiting = { ...rotation, nextAttemptAt: plus(now, minute) };
    const record = { ...adopted, rotation: waiting };
    expect(decideWork(record, now)).toBe("wait");
    const accepted = acceptRequest(record, request, now);
    expect(accepted).toEqual({ rotationId: "open", record: { ...adopted, rotation } });
    expect(decideWork(accepted.record, now)).toBe("resume");
  });

  it("waits for one of its own when the open one has published already", () => {
    const record = { ...adopted, rotation: { ...rotation, published: ref } };
    const accepted = acceptRequest(record, request, now);
    expect(accepted.rotationId).toBe("mine");
    expect(accepted.record).toEqual({ ...record, request });
    expect(accepted.run?.state).toBe("queued");
  });

  it("joins another that waits, without a second row in the history", () => {
    const record = { ...adopted, request: other };
    expect(acceptRequest(record, request, now)).toEqual({ rotationId: "theirs", record });
  });

  it("brings a blocked rotation back to asking the target, and its history shows that", () => {
    const phases = [{ phase: "applying", startedAt: now, endedAt: now }] as const;
    const record = { ...adopted, rotation: { ...rotation, phase: "blocked", phases } } as const;
    const later = plus(now, minute);
    const accepted = acceptRequest(record, request, later);
    expect(accepted.rotationId).toBe("open");
    expect(accepted.record.rotation).toEqual({
      ...rotation,
      phases: [...phases, { phase: "applying", startedAt: later }],
    });
    expect(decideWork(accepted.record, later)).toBe("resume");
  });

  it("hands its grace on to the rotation that satisfies it", () => {
    const urgent = { ...request, grace: 0 };
    expect(acceptRequest({ ...adopted, rotation }, urgent, now).record.rotation?.grace).toBe(0);
    expect(acceptRequest({ ...adopted, request: other }, urgent, now).record.request?.grace).toBe(
      0,
    );
    expect(acceptRequest(adopted, urgent, now).record.request?.grace).toBe(0);
  });

  it("without a grace leaves the one that was asked for before", () => {
    const record = { ...adopted, rotation: { ...rotation, grace: 5 } };
    expect(acceptRequest(record, request, now).record.rotation?.grace).toBe(5);
  });
});

describe("any request", () => {
  const some = { record: arbitraryUnclaimed, request: arbitraryRequest, at: arbitraryMoment };

  it("is answered with a rotation that the record knows of", () => {
    fc.assert(
      fc.property(fc.record(some), ({ record, request: wish, at }) => {
        const accepted = acceptRequest(record, wish, at);
        const { rotation: open, request: waiting } = accepted.record;
        expect([open?.id, waiting?.rotationId]).toContain(accepted.rotationId);
        if (open?.id === accepted.rotationId) expect(open.published).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it("may be made again: the same rotation answers, and nothing else changes", () => {
    fc.assert(
      fc.property(fc.record(some), ({ record, request: wish, at }) => {
        const once = acceptRequest(record, wish, at);
        const twice = acceptRequest(once.record, wish, at);
        expect(twice.rotationId).toBe(once.rotationId);
        expect(twice.record).toEqual(once.record);
        expect(twice.run).toBeUndefined();
      }),
      { numRuns: 1_000 },
    );
  });

  it("loses neither a request that waits nor the open rotation nor a secret", () => {
    fc.assert(
      fc.property(fc.record(some), ({ record, request: wish, at }) => {
        const { record: after } = acceptRequest(record, wish, at);
        const untouched = ({ rotation: _r, request: _q, ...rest }: TargetRecord) => rest;
        expect(untouched(after)).toEqual(untouched(record));
        expect(after.rotation?.id).toBe(record.rotation?.id);
        expect(after.rotation?.pending).toEqual(record.rotation?.pending);
        expect(after.rotation?.changeBegan).toBe(record.rotation?.changeBegan);
        expect(after.rotation?.outcomeInDoubt).toBe(record.rotation?.outcomeInDoubt);
        if (record.request) expect(after.request?.rotationId).toBe(record.request.rotationId);
      }),
      { numRuns: 1_000 },
    );
  });

  it("that joins the open rotation makes it due at once", () => {
    const open = arbitraryRotation.map(({ published: _, ...rest }) => rest);
    fc.assert(
      fc.property(fc.record({ ...some, open }), ({ record, request: wish, at, open: joined }) => {
        const accepted = acceptRequest({ ...record, rotation: joined }, wish, at);
        expect(decideWork(accepted.record, at)).toBe("resume");
      }),
      { numRuns: 500 },
    );
  });
});

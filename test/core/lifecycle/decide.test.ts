import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  claimLength,
  decideWork,
  findWakeTime,
  isClaimed,
  withClaim,
} from "../../../shared/core/lifecycle/decide.ts";
import { type Rotation, type TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { between, minute, plus } from "../../../shared/core/time.ts";
import { arbitraryUnclaimed } from "../arbitrary-record.ts";
import { arbitraryMoment } from "../arbitrary-request.ts";

const now = "2026-03-01T10:00:00.000Z";
const later = plus(now, minute);
const fresh = newRecord("orders");
const adopted: TargetRecord = { ...fresh, adoptedAt: now };
const rotation: Rotation = {
  id: "r1",
  account: "orders_a",
  reason: "schedule",
  requestedBy: "schedule",
  requestedAt: now,
  why: "90d are over",
  policyFingerprint: "f",
  phase: "applying",
  startedAt: now,
  phases: [],
  furthest: "applying",
  changeBegan: true,
  failures: 0,
};
const blocked = { ...rotation, phase: "blocked" } as const;
const request = {
  rotationId: "r2",
  reason: "operator",
  requestedBy: "anna",
  at: now,
} as const;
const retirement = { account: "orders_b", at: now, rotationId: "r0", failures: 0 };
const note = { id: "1", type: "alarm", targetId: "orders", at: now, data: {} } as const;

describe("what a worker does next", () => {
  it.each<[string, TargetRecord, string]>([
    ["a target nobody knows is adopted", fresh, "adopt"],
    ["adoption is tried again when its time has come", { ...fresh, nextDue: now }, "adopt"],
    ["adoption that failed waits for its time", { ...fresh, nextDue: later }, "wait"],
    ["a person need not wait for it", { ...fresh, nextDue: later, request }, "adopt"],
    ["an adopted target with nothing due waits", adopted, "wait"],
    ["a due target is rotated", { ...adopted, nextDue: now }, "start"],
    ["a target is not rotated early", { ...adopted, nextDue: later }, "wait"],
    ["a request is met at once", { ...adopted, request }, "start"],
    [
      "a postponed request waits",
      { ...adopted, request: { ...request, notBefore: later } },
      "wait",
    ],
    ["an open rotation goes on before anything else", { ...adopted, rotation, request }, "resume"],
    [
      "a rotation between two tries lets notifications pass",
      { ...adopted, rotation: { ...rotation, nextAttemptAt: later }, outbox: [note] },
      "notify",
    ],
    ["a blocked rotation waits for a person", { ...adopted, rotation: blocked }, "wait"],
    [
      "a blocked rotation holds up what is due",
      { ...adopted, rotation: blocked, nextDue: now, request },
      "wait",
    ],
    ["a superseded secret whose grace is over is retired", { ...adopted, retirement }, "retire"],
    [
      "grace is respected to the millisecond",
      { ...adopted, retirement: { ...retirement, at: plus(now, 1) } },
      "wait",
    ],
    [
      "an account that is being given a new secret is not retired",
      {
        ...adopted,
        rotation: { ...rotation, account: "orders_b", nextAttemptAt: later },
        retirement,
      },
      "wait",
    ],
    [
      "notifications that failed wait for their time",
      { ...adopted, outbox: [{ ...note, toldTo: [] }], outboxRetryAt: later },
      "wait",
    ],
    [
      "news does not wait for them",
      { ...adopted, outbox: [{ ...note, toldTo: [] }, note], outboxRetryAt: later },
      "notify",
    ],
  ])("%s", (_name, record, work) => {
    expect(decideWork(record, now)).toBe(work);
  });
});

describe("the time of the next check of a target", () => {
  it("has come exactly when work is pending", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const wake = findWakeTime(record, moment);
        const hasCome = wake !== undefined && wake <= moment;
        expect(hasCome).toBe(decideWork(record, moment) !== "wait");
      }),
      { numRuns: 3_000 },
    );
  });

  it("always leads to work, so that no sweep checks a target without need", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        const wake = findWakeTime(record, moment);
        if (wake !== undefined && wake > moment) {
          expect(decideWork(record, wake)).not.toBe("wait");
          expect(decideWork(record, plus(wake, -1))).toBe("wait");
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it("is never missing while time alone can bring work", () => {
    const never = "9999-12-31T00:00:00.000Z";
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryMoment, (record, moment) => {
        if (findWakeTime(record, moment) === undefined)
          expect(decideWork(record, never)).toBe("wait");
      }),
      { numRuns: 2_000 },
    );
  });

  it("is the end of the claim while somebody has one", () => {
    const mine = withClaim({ ...adopted, nextDue: now }, { fence: 1, owner: "worker" }, now);
    expect(findWakeTime(mine, now)).toBe(plus(now, claimLength));
  });
});

describe("a claim", () => {
  const mine = withClaim({ ...adopted, claim: { fence: 7 } }, { fence: 8, owner: "worker" }, now);

  it("has a fence, names its owner and ends", () => {
    const { fence, owner, until } = mine.claim;
    expect([fence, owner, between(now, until ?? now)]).toEqual([8, "worker", claimLength]);
  });

  it("holds until the moment it ends, and no longer", () => {
    expect(isClaimed(mine, now)).toBe(true);
    expect(isClaimed(mine, plus(now, claimLength - 1))).toBe(true);
    expect(isClaimed(mine, plus(now, claimLength))).toBe(false);
    expect(isClaimed(adopted, now)).toBe(false);
  });

  it.each([
    ["of a clock that is a little ahead holds", 5_000, true],
    ["further ahead than its length is none", 5_001, false],
    ["of a worker whose clock was an hour ahead is none", 60 * minute, false],
    ["of a clock that was years ahead is none", 400 * 24 * 60 * minute, false],
  ])("%s", (_which, ahead, holds) => {
    expect(isClaimed(mine, plus(now, -ahead))).toBe(holds);
  });
});

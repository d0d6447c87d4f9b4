import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findDated, withDateReached } from "../../../shared/core/lifecycle/dated.ts";
import { decideWork } from "../../../shared/core/lifecycle/decide.ts";
import { decideStart } from "../../../shared/core/lifecycle/permit.ts";
import type { Policy } from "../../../shared/core/policy/policy.ts";
import type { DatedRequest, TargetRecord } from "../../../shared/core/record/record.ts";
import { day, type Instant, plus } from "../../../shared/core/time.ts";
import { arbitraryUnclaimed } from "../arbitrary-record.ts";
import { arbitraryMoment, arbitraryRequest } from "../arbitrary-request.ts";
import { adopted, at, now, request, target, version } from "../orders.ts";

/** A window that is open from 10:03 to 10:06, and a freeze from 10:05 on: in the middle of the moments that records hold. */
const policy: Policy = {
  ...target.policy,
  every: day,
  between: [{ from: "10:03", to: "10:06" }],
  freeze: [
    { from: "2026-03-01T10:05:00Z", to: "2026-03-01T10:20:00Z", reason: "f", lift: ["breach"] },
  ],
};
const frozen = { ...target, policy };

const arbitraryDated: fc.Arbitrary<DatedRequest> = fc
  .tuple(arbitraryRequest, arbitraryMoment)
  .map(([{ heldBy: _, ...asked }, notBefore]) => ({ ...asked, notBefore }));

/** An adopted target without a rotation, with up to five scheduled rotations, and often with an import or a retry. */
const arbitraryIdle: fc.Arbitrary<TargetRecord> = fc
  .record({
    any: arbitraryUnclaimed,
    dated: fc.array(arbitraryDated, { maxLength: 5 }),
    given: fc.option(arbitraryRequest, { nil: undefined }),
    again: fc.option(arbitraryRequest, { nil: undefined }),
  })
  .map(({ any: { rotation: _, again: __, ...record }, dated, given, again }) => ({
    ...record,
    adoptedAt: now,
    ...(dated.length > 0 && {
      dated: dated.toSorted((a, b) => a.notBefore.localeCompare(b.notBefore)),
    }),
    ...(given && { given: { ...given, secret } }),
    ...(again && { again: { ...again, why: "rotation r9 failed" } }),
  }));

const secret = { by: "import", account: "orders_b", ref: version(2), mayApply: true } as const;
const dated = (rotationId: string, more: Partial<DatedRequest> = {}): DatedRequest => ({
  ...request,
  rotationId,
  notBefore: now,
  ...more,
});
const word = (by: string, moment: Instant) => ({ by, why: "it cannot wait", at: moment });

describe("a scheduled rotation whose date has come", () => {
  it("never keeps a worker busy: whenever a start is due, starting begins a rotation or changes the record", () => {
    fc.assert(
      fc.property(arbitraryIdle, arbitraryMoment, (record, moment) => {
        let current = record;
        // Each of the five scheduled rotations may add its words once.
        for (let turn = 0; turn < 8; turn++) {
          if (decideWork(current, moment) !== "start") return;
          const reached = withDateReached(current, moment);
          const decided = decideStart(reached, frozen, moment);
          if ("intent" in decided) return;
          expect(decided.held).not.toEqual(current);
          current = decided.held;
        }
        expect(decideWork(current, moment)).not.toBe("start");
      }),
      { numRuns: 3_000 },
    );
  });

  it("starts if its freeze is lifted, although an earlier one waits for the end of the freeze", () => {
    const waiting = { ...request, rotationId: "r0", notBefore: at(20), heldBy: "a freeze" };
    const lift = word("ben", now);
    const record = {
      ...adopted,
      request: waiting,
      dated: [dated("r1"), dated("r2", { notBefore: at(6), lift })],
    };
    expect(decideWork(record, at(6))).toBe("start");
    const decided = decideStart(withDateReached(record, at(6)), frozen, at(6));
    expect(decided).toMatchObject({ intent: { rotationId: "r0", lift } });
  });

  it("starts with its force, although an earlier one without a force waits for the end of the pause", () => {
    const pause = { reason: "move", by: "eva", at: now, until: at(60) };
    const force = word("ben", at(1));
    const both = [dated("r1"), dated("r2", { notBefore: at(2), force })];
    const record: TargetRecord = { ...adopted, pause, dated: both };
    expect(findDated(record)?.asked.rotationId).toBe("r2");
    expect(decideWork(record, at(1))).not.toBe("start");
    expect(decideWork(record, at(2))).toBe("start");
    expect(withDateReached(record, at(2)).request).toMatchObject({ rotationId: "r2", force });
  });

  it("hurries a waiting request with a later force, and not with an earlier one", () => {
    const forced = (moment: Instant): TargetRecord => ({
      ...adopted,
      request: { ...request, rotationId: "r0", force: word("anna", at(1)) },
      pause: { reason: "move", by: "eva", at: at(2), until: at(60) },
      dated: [dated("r1", { force: word("ben", moment) })],
    });
    expect(decideWork(forced(at(3)), at(4))).toBe("start");
    const reached = withDateReached(forced(at(3)), at(4));
    expect(decideStart(reached, target, at(4))).toMatchObject({ intent: { rotationId: "r0" } });
    expect(findDated(forced(now))).toBeUndefined();
    expect(withDateReached(forced(now), at(4))).toEqual(forced(now));
  });

  it("adds its lift to a request whose own force overrides the pause", () => {
    const record: TargetRecord = {
      ...adopted,
      request: {
        ...request,
        rotationId: "r0",
        force: word("anna", at(3)),
        notBefore: at(20),
        heldBy: "a freeze",
      },
      pause: { reason: "move", by: "eva", at: at(2), until: at(60) },
      dated: [dated("r1", { lift: word("ben", now) })],
    };
    expect(decideWork(record, at(6))).toBe("start");
    const decided = decideStart(withDateReached(record, at(6)), frozen, at(6));
    expect(decided).toMatchObject({ intent: { rotationId: "r0" } });
  });

  it("comes after the date only", () => {
    const record = { ...adopted, dated: [dated("r1", { notBefore: plus(now, 1) })] };
    expect(withDateReached(record, now)).toBe(record);
    expect(withDateReached(record, plus(now, 1))).toEqual({
      ...adopted,
      request: { ...request, rotationId: "r1" },
    });
  });
});

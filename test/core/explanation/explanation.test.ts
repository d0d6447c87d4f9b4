import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { explainedStates } from "../../../shared/core/answer-words.ts";
import {
  explainState,
  explainUnreadableState,
  type Explanation,
} from "../../../shared/core/explanation/explanation.ts";
import { decideWork, findWakeTime, isClaimed } from "../../../shared/core/lifecycle/decide.ts";
import { acceptRequest } from "../../../shared/core/lifecycle/request.ts";
import { describeWaiting } from "../../../shared/core/lifecycle/waiting.ts";
import { type TargetRecord } from "../../../shared/core/record/record.ts";
import { withoutSkip } from "../../../shared/core/record/rotation.ts";
import type { Target } from "../../../shared/core/target.ts";
import type { Instant } from "../../../shared/core/time.ts";
import { arbitraryUnclaimed } from "../arbitrary-record.ts";
import { arbitraryMoment } from "../arbitrary-request.ts";
import { target as orders } from "../orders.ts";
import { situations } from "./situations.ts";

const frozen: Target = {
  ...orders,
  policy: {
    ...orders.policy,
    days: ["sat"],
    freeze: [
      { from: "2026-03-01T10:04:00Z", to: "2026-03-02T00:00:00Z", reason: "sale", lift: [] },
    ],
  },
};
const hidden = "what only the rotator may know";
const self: Target = {
  ...orders,
  options: { hidden },
  authority: { as: "admin", secret: { vault: "main", name: "the-admin" } },
};
const arbitraryTarget = fc.constantFrom(orders, frozen, self);

const claim = fc.record(
  { fence: fc.nat({ max: 5 }), owner: fc.constant("w1"), until: arbitraryMoment },
  { requiredKeys: ["fence"] },
);
const arbitraryRecord: fc.Arbitrary<TargetRecord> = fc
  .tuple(arbitraryUnclaimed, claim)
  .map(([record, taken]) => ({ ...record, claim: taken }));

const firstTime = ({ next }: Explanation) => next.find(({ at }) => at !== undefined);
const latest = (a: Instant, b: Instant) => (a > b ? a : b);

describe("The explanation of any record", () => {
  it("names the time at which the engine works on the target next", () => {
    fc.assert(
      fc.property(arbitraryTarget, arbitraryRecord, arbitraryMoment, (target, record, now) => {
        const wake = findWakeTime(record, now);
        const { owner, until } = record.claim;
        // The engine ignores an owner without an end, as no claim has.
        fc.pre(owner === undefined || until !== undefined);
        const first = firstTime(explainState(target, record, now));
        expect(first?.at).toBe(wake === undefined ? undefined : latest(wake, now));
      }),
      { numRuns: 1_000 },
    );
  });

  it("names the work that the engine does first, and gives times in order", () => {
    fc.assert(
      fc.property(arbitraryTarget, arbitraryUnclaimed, arbitraryMoment, (target, record, now) => {
        const explanation = explainState(target, record, now);
        const first = firstTime(explanation);
        if (first?.at !== undefined) expect(decideWork(record, first.at)).toBe(first.kind);
        const times = explanation.next.flatMap(({ at, kind }) =>
          // A start that a window delays names its later time beside the evaluation now.
          at === undefined || kind === "start" || kind === "resume" ? [] : [at],
        );
        expect(times).toEqual(times.toSorted());
      }),
      { numRuns: 1_000 },
    );
  });

  const gaps = /undefined|\[object|NaN/;

  it("has a summary and sentences without gaps, and no secrets", () => {
    fc.assert(
      fc.property(arbitraryTarget, arbitraryRecord, arbitraryMoment, (target, record, now) => {
        const { state, summary, because, next, actions } = explainState(target, record, now);
        expect(explainedStates).toContain(state);
        const sentences = [summary, ...because, ...actions.flatMap((one) => [one.do, one.why])];
        for (const sentence of sentences) expect(sentence).toMatch(/^\S[^]*\.$/);
        for (const { what, why } of next) expect(what && why).toMatch(/\S/);
        expect(next.length).toBeGreaterThan(0);
        const text = JSON.stringify([summary, because, next, actions]);
        // The record itself may hold any text.
        fc.pre(!gaps.test(JSON.stringify(record)));
        expect(text).not.toMatch(gaps);
        expect(text).not.toContain(hidden);
      }),
      { numRuns: 1_000 },
    );
  });

  it("suggests a request only if the request takes effect at once", () => {
    fc.assert(
      fc.property(arbitraryTarget, arbitraryRecord, arbitraryMoment, (target, record, now) => {
        const { actions } = explainState(target, record, now);
        const asked = {
          rotationId: "r",
          reason: "operator",
          requestedBy: "anna",
          at: now,
        } as const;
        for (const { kind } of actions) {
          if (!["request-rotation", "lift-freeze", "override-pause"].includes(kind)) continue;
          const word = { why: "a leak", by: "anna", at: now };
          const wanted = {
            ...asked,
            ...(kind === "lift-freeze" && { lift: word }),
            ...(kind === "override-pause" && { force: word }),
          };
          const { record: after, rotationId } = acceptRequest(
            withoutSkip(record),
            wanted,
            target,
            now,
          );
          expect(isClaimed(record, now)).toBe(false);
          expect(["adopt", "join", "start"]).toContain(decideWork(after, now));
          if (decideWork(after, now) === "adopt") continue;
          // A request that is queued already makes the rotation before it continue.
          const hurried = record.request && after.request?.hurries;
          const begun = hurried === after.rotation?.id ? hurried : undefined;
          expect(describeWaiting(after, begun ?? rotationId, target, now)).toBeUndefined();
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("The explanation of a concrete record", () => {
  it.each(situations)("is one that a person understands: $name", ({ target, record, now }) => {
    expect(explainState(target, record, now)).toMatchSnapshot();
  });

  it("covers every state", () => {
    const states = situations.map(
      ({ target, record, now }) => explainState(target, record, now).state,
    );
    const unreadable = explainUnreadableState(orders, "a newer Keyturn wrote the row.").state;
    expect(new Set([...states, unreadable])).toEqual(new Set(explainedStates));
  });

  it("names the reason why a row cannot be read", () => {
    expect(explainUnreadableState(orders, "A newer Keyturn wrote the row.")).toMatchSnapshot();
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ErrorKind } from "../../../shared/core/errors.ts";
import {
  blockRotation,
  decideAfterFailure,
  failRotation,
  retryLater,
} from "../../../shared/core/lifecycle/after-failure.ts";
import type { GivenSecret } from "../../../shared/core/record/given.ts";
import type { Rotation } from "../../../shared/core/record/record.ts";
import { abandon, findSlot } from "../../../shared/core/record/slots.ts";
import { hour, minute, plus } from "../../../shared/core/time.ts";
import { arbitraryRotation, arbitraryUnclaimed } from "../arbitrary-record.ts";
import { at, begun, failure, now, request, target, version } from "../orders.ts";

describe("the outcome of a failure", () => {
  const { rotation } = begun();
  const began: Rotation = { ...rotation, phase: "applying", changeBegan: true };

  it.each<[string, Rotation, ErrorKind, string]>([
    ["before any change it is tried again", rotation, "vault-unavailable", "retry"],
    ["the last try ends it", { ...rotation, failures: 2 }, "vault-unavailable", "failed"],
    ["before any change wrong input ends it", rotation, "config", "failed"],
    ["a refusal ends it", began, "change-refused", "failed"],
    ["no live credential blocks it", began, "no-live-credential", "blocked"],
    ["after a change nothing unsure ends it", { ...began, failures: 99 }, "bug", "retry"],
    ["after a change wrong input does not end it", began, "config", "retry"],
    ["after a change doubt does not end it", began, "outcome-unknown", "retry"],
  ])("%s", (_name, state, kind, outcome) => {
    expect(decideAfterFailure(state, kind, target.policy)).toBe(outcome);
  });

  it.each<ErrorKind>(["change-refused", "no-live-credential", "config", "bug", "outcome-unknown"])(
    "%s never undoes a rotation whose secret is public and proven",
    (kind) => {
      for (const phase of ["refreshing", "cleaning"] as const) {
        const proven = { ...began, phase, published: version(2) };
        expect(decideAfterFailure(proven, kind, target.policy)).toBe("retry");
        expect(decideAfterFailure({ ...proven, failures: 2 }, kind, target.policy)).toBe(
          "leave-undone",
        );
      }
    },
  );
});

describe("a rotation that is retried", () => {
  it("waits the short interval, and after all tries the long one", () => {
    const { rotation } = begun();
    const first = retryLater(rotation, failure("vault-unavailable"), target.policy);
    expect(first.failures).toBe(1);
    expect(first.nextAttemptAt >= plus(at(5), 10 * minute)).toBe(true);
    expect(first.nextAttemptAt <= plus(at(5), 11 * minute)).toBe(true);
    const last = retryLater({ ...rotation, failures: 2 }, failure("bug"), target.policy);
    expect(last.nextAttemptAt >= plus(at(5), 6 * hour)).toBe(true);
  });

  it("remembers doubt about a change, also when it fails in another way afterwards", () => {
    const { rotation } = begun();
    const unsent = retryLater(rotation, failure("outcome-unknown"), target.policy);
    expect(unsent.outcomeInDoubt).toBeUndefined();
    const sent = { ...rotation, changeBegan: true };
    const doubtful = retryLater(sent, failure("outcome-unknown"), target.policy);
    expect(doubtful.outcomeInDoubt).toBe(true);
    expect(retryLater(doubtful, failure("bug"), target.policy).outcomeInDoubt).toBe(true);
  });
});

describe("a rotation that fails", () => {
  const record = begun();
  const pending = version(2);
  const fail = (rotation: Rotation, slots = record.slots) =>
    failRotation({ ...record, slots }, rotation, failure("change-refused"), target.policy);

  it("is tried again later as another, and says why", () => {
    const failed = fail({ ...record.rotation, pending });
    expect(failed).toMatchObject({ health: "failing", failures: 1 });
    expect(failed.nextDue && failed.nextDue > at(15)).toBe(true);
    expect(failed.lastFailure).toEqual(failure("change-refused"));
    expect(failed).not.toHaveProperty("rotation");
    expect(failed.slots).toEqual(record.slots);
  });

  it.each([
    ["nobody heard how a change ended", { outcomeInDoubt: true }],
    ["the target said that it took it", { confirmedAt: now }],
  ])("keeps its pending secret as a candidate when %s", (_why, doubt) => {
    const { slots } = fail({ ...record.rotation, ...doubt, pending });
    expect(slots).toContainEqual({ account: "orders_b", abandoned: pending });
  });

  it("pushes out neither the secret of an older doubt nor the previous one", () => {
    const known = { account: "orders_b", current: version(7), previous: version(6) };
    const before = [{ ...known, abandoned: version(8) }];
    const { slots } = fail({ ...record.rotation, outcomeInDoubt: true, pending }, before);
    expect(slots).toEqual([{ ...known, abandoned: pending, abandonedBefore: [version(8)] }]);
  });

  const imported: GivenSecret = {
    by: "import",
    account: "orders_b",
    ref: version(9),
    mayApply: true,
  };

  it("keeps an imported secret that the target was not asked about, however early it fails", () => {
    const { slots } = fail({ ...record.rotation, given: imported });
    expect(slots).toContainEqual({ account: "orders_b", abandoned: version(9) });
  });

  it.each<[string, GivenSecret]>([
    ["the target refused", { ...imported, wasRefused: true }],
    ["is a copy of the previous one", { ...imported, by: "undo" }],
  ])("does not keep a given secret that %s", (_which, given) => {
    expect(fail({ ...record.rotation, pending, given }).slots).toEqual(record.slots);
  });

  it("keeps every secret in doubt before an imported one that nobody tried", () => {
    const full = [1, 2, 3, 4, 5].reduce(
      (slot, number) => abandon(slot, version(number)),
      findSlot({ slots: [] }, "orders_b"),
    );
    const { slots } = fail({ ...record.rotation, given: imported }, [full]);
    expect(slots).toEqual([full]);
  });

  it("keeps a request that waits", () => {
    const later = { ...request, rotationId: "r2" };
    const waiting = { ...record, request: later };
    const failed = failRotation(waiting, record.rotation, failure("bug"), target.policy);
    expect(failed.request).toEqual(later);
  });
});

describe("a rotation that is blocked", () => {
  it("loses nothing and waits for a person", () => {
    fc.assert(
      fc.property(arbitraryUnclaimed, arbitraryRotation, (record, rotation) => {
        const open = { ...record, rotation };
        const blocked = blockRotation(open, rotation, failure("no-live-credential"));
        const { nextAttemptAt: _, heldBy: _h, throttledSince: _t, ...kept } = rotation;
        expect(blocked).toEqual({
          ...open,
          health: "blocked",
          lastFailure: failure("no-live-credential"),
          rotation: { ...kept, phase: "blocked", phases: blocked.rotation?.phases },
          outbox: blocked.outbox,
        });
        expect(blocked.rotation?.phases.every(({ endedAt }) => endedAt !== undefined)).toBe(true);
      }),
    );
  });

  it("notifies each time it is blocked", () => {
    const record = begun();
    const once = blockRotation(record, record.rotation, failure("no-live-credential"));
    const again = { ...failure("no-live-credential"), at: at(9) };
    const twice = blockRotation(once, record.rotation, again);
    expect(twice.outbox.map(({ id }) => id)).toEqual([
      "orders/r1/rotation.started",
      `orders/r1/${at(5)}/rotation.blocked`,
      `orders/r1/${at(9)}/rotation.blocked`,
    ]);
  });
});

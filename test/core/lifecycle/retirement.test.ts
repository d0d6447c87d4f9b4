import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideAfterLook,
  describeWait,
  findRetirement,
  needsProof,
} from "../../../shared/core/lifecycle/retirement.ts";
import type {
  Exposure,
  Proof,
  Retirement,
  TargetRecord,
} from "../../../shared/core/record/record.ts";
import { hour, minute, plus } from "../../../shared/core/time.ts";
import { adopted, at, begun, now, request, target, version } from "../orders.ts";

const retry = { attempts: 3, every: 10 * minute, thenEvery: 6 * hour };
const waiting = (proof?: Proof): Retirement => ({
  account: "orders_a",
  at: now,
  rotationId: "r1",
  failures: 0,
  ...(proof && { proof }),
});
const exposure: Exposure = { at: now, by: "ben", kind: "exposure" };

describe("a superseded secret", () => {
  const careful = { ...target, policy: { ...target.policy, retire: "proof" as const } };
  const record = begun();
  const retired = (
    changed: Partial<TargetRecord> = {},
    rotation: Partial<typeof record.rotation> = {},
  ) => {
    const all = { ...record, ...changed };
    const open = { ...record.rotation, ...rotation };
    return findRetirement(all, {
      canRetire: true,
      rotation: open,
      published: version(2),
      target: careful,
      now: at(7),
    });
  };

  it("waits for proof after its grace where the policy wants it", () => {
    const proven = { ...waiting({ seenInUse: 0 }), at: plus(at(7), target.grace) };
    expect(retired()).toEqual(proven);
    const { proof: _, ...unproven } = proven;
    expect(
      findRetirement(record, {
        canRetire: true,
        rotation: record.rotation,
        published: version(2),
        target,
        now: at(7),
      }),
    ).toEqual(unproven);
  });

  it.each([
    ["an operator said how long it may live", {}, { grace: hour }],
    ["an operator said so in the last moment", { request: { ...request, grace: hour } }, {}],
    ["it was exposed", {}, { reason: "exposure" as const }],
    [
      "an exposure was reported in the last moment",
      { request: { ...request, reason: "exposure" as const } },
      {},
    ],
    ["somebody saw it while it was replaced", { exposure: { ...exposure, version: "1" } }, {}],
    ["somebody may have seen it, or the new one", { exposure }, {}],
    ["there was a breach", { exposure: { ...exposure, kind: "breach" as const } }, {}],
  ])("waits for no proof when %s", (_, changed, rotation) => {
    expect(retired(changed, rotation)).not.toHaveProperty("proof");
  });

  it("of an account that is no longer configured is left alone", () => {
    const slots = target.slots.filter(({ account }) => account !== record.active);
    const input = { canRetire: true, rotation: record.rotation, published: version(2), now: at(7) };
    expect(findRetirement(record, { ...input, target: { ...target, slots } })).toBeUndefined();
  });

  it("waits for proof when the new secret was exposed", () => {
    const seen = { ...exposure, version: version(2).version };
    expect(retired({ exposure: seen })).toHaveProperty("proof");
  });
});

describe("whether proof is needed", () => {
  const record = { ...adopted, published: version(2), retirement: waiting({ seenInUse: 1 }) };
  it.each([
    ["it is wanted", {}, true],
    ["it is not wanted", { retirement: waiting() }, false],
    ["the superseded secret was seen", { exposure: { ...exposure, version: "1" } }, false],
    ["nobody knows which secret was seen", { exposure }, false],
    [
      "the published secret was seen",
      { exposure: { ...exposure, version: version(2).version } },
      true,
    ],
  ])("follows from what is known now: %s", (_, changed, expected) => {
    expect(needsProof({ ...record, ...changed })).toBe(expected);
  });
});

describe("a check for sessions", () => {
  it("that finds a session is followed by another check, and ends the quiet time", () => {
    const quiet = waiting({ seenInUse: 1, quietSince: now });
    expect(decideAfterLook(quiet, true, retry, at(10))).toEqual({
      ...waiting({ seenInUse: 2 }),
      at: at(20),
    });
  });

  it("that finds no session is followed by another check", () => {
    expect(decideAfterLook(waiting({ seenInUse: 2 }), false, retry, at(1))).toEqual({
      ...waiting({ seenInUse: 2, quietSince: at(1) }),
      at: at(11),
    });
  });

  it("that finds no session a second time, long enough after the first, is proof", () => {
    const quiet = waiting({ seenInUse: 2, quietSince: at(1) });
    expect(decideAfterLook(quiet, false, retry, at(11))).toBe("proven");
  });

  it("that is repeated too early does not count", () => {
    const quiet = decideAfterLook(waiting({ seenInUse: 0 }), false, retry, at(1));
    if (quiet === "proven") throw new Error("one check is not proof");
    expect(decideAfterLook(quiet, false, retry, at(1))).toEqual(quiet);
    expect(decideAfterLook(quiet, false, retry, at(10))).toEqual(quiet);
  });

  it("comes a minute after the one before, however soon tries follow each other", () => {
    const quick = { ...retry, every: 1_000 };
    const quiet = waiting({ seenInUse: 0, quietSince: now });
    expect(decideAfterLook(quiet, false, quick, plus(now, minute - 1))).toMatchObject({
      at: at(1),
    });
    expect(decideAfterLook(quiet, false, quick, at(1))).toBe("proven");
    expect(decideAfterLook(quiet, true, quick, at(1))).toMatchObject({ at: at(2) });
  });

  it("that succeeds resets the failures before it", () => {
    const failed = { ...waiting({ seenInUse: 0 }), failures: 2 };
    expect(decideAfterLook(failed, true, retry, at(1))).toMatchObject({ failures: 0 });
  });

  it("is proof only after a quiet check without sessions in between", () => {
    const look = fc.record({ isInUse: fc.boolean(), after: fc.integer({ min: 0, max: 20 }) });
    fc.assert(
      fc.property(fc.array(look, { maxLength: 12 }), (looks) => {
        let retirement = waiting({ seenInUse: 0 });
        let time = 0;
        let firstQuiet: number | undefined;
        for (const { isInUse, after } of looks) {
          time += after;
          const next = decideAfterLook(retirement, isInUse, retry, plus(now, time * minute));
          const isProven = !isInUse && firstQuiet !== undefined && time - firstQuiet >= 10;
          expect(next === "proven").toBe(isProven);
          if (next === "proven") return;
          firstQuiet = isInUse ? undefined : (firstQuiet ?? time);
          retirement = next;
        }
      }),
    );
  });
});

describe("what a retirement waits for", () => {
  const record = { ...adopted, published: version(2) };
  it.each([
    ["nothing", undefined, ""],
    ["its grace", waiting(), "the end of the grace period"],
    [
      "its grace, and proof",
      waiting({ seenInUse: 0 }),
      "the end of the grace period, and then proof that the account is unused",
    ],
    [
      "the end of its use",
      waiting({ seenInUse: 4 }),
      "the account to become unused; checks that found open sessions so far: 4",
    ],
    [
      "the second check",
      waiting({ seenInUse: 4, quietSince: at(3) }),
      `a second check; the first check found no session of the account at ${at(3)}`,
    ],
    [
      "another try",
      { ...waiting({ seenInUse: 4 }), failures: 1 },
      "the next attempt; the last attempt failed",
    ],
  ])("is said in words: %s", (_, retirement, expected) => {
    expect(describeWait({ ...record, ...(retirement && { retirement }) })).toBe(expected);
  });

  it("is the rotation that changes the same account, where there is one", () => {
    const open = { ...begun().rotation, account: "orders_a" };
    expect(describeWait({ ...record, rotation: open, retirement: waiting() })).toBe(
      "rotation r1, which changes the account",
    );
  });

  it("is no longer proof once somebody has seen the secret", () => {
    const seen = { ...record, exposure, retirement: waiting({ seenInUse: 4 }) };
    expect(describeWait(seen)).toBe("the end of the grace period");
  });
});

import { describe, expect, it } from "vitest";
import {
  endFreeze,
  type FreezeInput,
  hasEnded,
  isFrozenBy,
  makeFreeze,
  type OperatorFreeze,
  withFreezes,
} from "../../shared/core/freezes/operator-freeze.ts";
import { decideStart } from "../../shared/core/lifecycle/permit.ts";
import { day, plus } from "../../shared/core/time.ts";
import { adopted, at, now, request, target } from "./orders.ts";

const wanted: FreezeInput = {
  by: "anna",
  reason: "audit",
  until: at(60),
  lift: ["exposure", "breach"],
  selection: {},
};
const make = (fields: Partial<FreezeInput> = {}, known: readonly OperatorFreeze[] = []) =>
  makeFreeze({ ...wanted, ...fields }, known, "01F", now);
const freeze = make();

describe("a freeze that a person sets", () => {
  it("begins now unless it says when, and ends in the future", () => {
    expect(freeze).toEqual({ ...wanted, id: "01F", at: now, from: now });
    expect(make({ from: at(5) }).from).toBe(at(5));
    expect(() => make({ until: now })).toThrow("`until` must be in the future");
    expect(() => make({ from: at(60) })).toThrow("`until` must be later than `from`");
    expect(make({ until: plus(now, 366 * day) })).toBeDefined();
    expect(() => make({ until: plus(now, 366 * day + 1) })).toThrow("at most 366d ahead");
  });

  it("is one of at most 100 that have not ended", () => {
    const many = Array.from({ length: 100 }, () => freeze);
    expect(() => make({}, many)).toThrow("At most 100 freezes may be open");
    expect(make({}, [...many.slice(1), { ...freeze, endedAt: now }])).toBeDefined();
  });

  it("ends by itself, or when a person ends it, once", () => {
    expect(hasEnded(freeze, at(59))).toBe(false);
    expect(hasEnded(freeze, at(60))).toBe(true);
    const ended = endFreeze(freeze, { by: "ben" }, at(5));
    expect(ended).toEqual({ ...freeze, endedAt: at(5), endedBy: "ben" });
    expect(hasEnded(ended, at(5))).toBe(true);
    expect(endFreeze(ended, { by: "eva" }, at(6))).toBe(ended);
    expect(endFreeze(freeze, { by: "eva" }, at(60))).toBe(freeze);
  });

  it.each([
    [{}, true],
    [{ targets: ["orders"] }, true],
    [{ targets: ["other"] }, false],
    [{ policy: "quarterly", type: "memory", vault: "main" }, true],
    [{ policy: "other" }, false],
    [{ type: "other" }, false],
    [{ vault: "other" }, false],
    [{ tags: [["team", "a"]] as const }, false],
    [{ targets: ["orders"], policy: "other" }, false],
  ])("with the selection %j applies to a target: %s", (selection, applies) => {
    const one = make({ selection });
    expect(isFrozenBy(target, one)).toBe(applies);
    expect(withFreezes(target, [one]) === target).toBe(!applies);
  });

  it("delays starts as a freeze of the policy does, next to it, with its reason and who set it", () => {
    const own = { from: "2027-01-01", to: "2027-01-02", reason: "year end", lift: [] } as const;
    const policy = { ...target.policy, freeze: [own] };
    const frozen = withFreezes({ ...target, policy }, [freeze]);
    expect(frozen.policy.freeze).toEqual([
      own,
      { from: now, to: at(60), reason: "audit, set by anna", lift: ["exposure", "breach"] },
    ]);
    const held = decideStart({ ...adopted, request }, frozen, at(1));
    const why = `policy quarterly: frozen from ${now} to ${at(60)} (audit, set by anna)`;
    expect(held).toMatchObject({ held: { request: { notBefore: at(60), heldBy: why } }, why });
    const exposed = { ...request, reason: "exposure" as const };
    expect(decideStart({ ...adopted, request: exposed }, frozen, at(1))).toHaveProperty("intent");
    const lifted = { ...request, lift: { why: "ticket", by: "ben", at: now } };
    expect(decideStart({ ...adopted, request: lifted }, frozen, at(1))).toHaveProperty("intent");
    expect(decideStart({ ...adopted, request }, frozen, at(60))).toHaveProperty("intent");
  });
});

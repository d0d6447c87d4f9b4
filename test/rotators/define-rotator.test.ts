import { expect, test } from "vitest";
import { ChangeRefusedError, ConfigError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeMemoryRotator, makeMemorySystem } from "../../shared/rotators/memory.ts";
import { makeAddingRotator, makeKeysRotator } from "../../shared/rotators/memory-minting.ts";
import { defineRotator, isDefined } from "../../shared/rotators/own/define.ts";

const memory = makeMemoryRotator(makeMemorySystem());
const keys = {
  ...makeKeysRotator(makeMemorySystem(), { settleTime: 900_000, datesCreation: true }),
  apply: undefined,
};

/** Defines the memory rotator with other properties, some of which no TypeScript file could have. */
const define = (changed: object) => defineRotator({ ...memory, ...changed });
const nothing = () => Promise.resolve();

test.each([
  ["a type with capitals", { type: "Oracle" }, "must have a type of 1 to 63 lower-case letters"],
  ["no type", { type: undefined }, "The rotator without a valid type must have a type"],
  ["discard without overlaps", { discard: nothing }, "has discard without overlaps"],
  ["overlaps without discard", { overlaps: () => true }, "has overlaps without discard"],
  ["setBack alone", { setBack: nothing }, "has setBack without hasSeveralServers"],
  ["hasSeveralServers alone", { hasSeveralServers: () => true }, "without setBack"],
  ["no verify", { verify: undefined }, "must have verify"],
  ["options of another library", { options: { parse: () => ({}) } }, "a schema of zod"],
  ["no capabilities", { capabilities: undefined }, "true or false in capabilities.selfService"],
  [
    "no authority",
    { capabilities: { selfService: false, admin: false, identity: false, propagation: 0 } },
    "has no authority that may change a secret",
  ],
  ["neither apply nor mint", { apply: undefined }, "must have apply or mint, because nothing else"],
  ["apply and mint", { ...keys, apply: nothing }, "has apply and mint. Keep apply if"],
  ["mint without settle time", { ...keys, findSettleTime: undefined }, "without findSettleTime"],
  [
    "mint without retire",
    { ...keys, retire: undefined },
    "has mint without retire, which two keys",
  ],
  [
    "mint without findOwner",
    { ...keys, findOwner: undefined },
    "has mint without findOwner, which",
  ],
  ["mint and a form of secrets", { ...keys, toSecret: nothing }, "has mint and toSecret, although"],
  ["mint and rules", { ...keys, findUnfitRules: nothing }, "has mint and findUnfitRules, although"],
  [
    "mint by the account alone",
    { ...keys, capabilities: { ...memory.capabilities, admin: false, identity: false } },
    "set capabilities.admin or capabilities.identity",
  ],
  ["settle without mint", { settle: nothing, findSettleTime: () => 1 }, "has settle without mint"],
  ["findRetireFault alone", { findRetireFault: nothing, retire: undefined }, "without retire"],
  ["a text that nobody reads", { toConnectionString: nothing }, "without readConnectionString"],
  [
    "findTextFault alone",
    { findTextFault: nothing },
    "has findTextFault without toConnectionString",
  ],
  [
    "an admin for verify who is not the only authority",
    { capabilities: { ...memory.capabilities, verifiesWithAdmin: true } },
    "so an admin must be its only authority",
  ],
  [
    "a negative propagation",
    { capabilities: { ...memory.capabilities, propagation: -1 } },
    "must have milliseconds in capabilities.propagation",
  ],
])("a rotator with %s is refused when it is defined", (_what, changed, message) => {
  expect(() => define(changed)).toThrow(ConfigError);
  expect(() => define(changed)).toThrow(message);
});

test.each([
  ["two keys", makeKeysRotator(makeMemorySystem(), { settleTime: 1, datesCreation: false })],
  ["secrets side by side", makeAddingRotator(makeMemorySystem())],
])("a rotator of a system that creates %s can be defined", (_what, rotator) => {
  expect(isDefined(defineRotator({ ...rotator, type: "mine" }))).toBe(true);
});

test("every problem of a rotator is in one message", () => {
  expect(() => define({ verify: undefined, endpoint: undefined, type: "" })).toThrow(
    /must have a type.*; must have endpoint; must have verify\.$/,
  );
});

test("a defined rotator is frozen, and is known as one", () => {
  const made = define({ type: "mine" });
  expect(isDefined(made)).toBe(true);
  expect(isDefined({ ...made })).toBe(false);
  expect(isDefined(undefined)).toBe(false);
  expect(() => Object.assign(made, { type: "other" })).toThrow(TypeError);
  expect(() => Object.assign(made.capabilities, { admin: false })).toThrow(TypeError);
});

test("a defined rotator is guarded: names are checked first, and no account retires itself", async () => {
  const made = define({ type: "mine" });
  const credential = { account: "", secret: new Secret("x") };
  const call = { options: {}, credential };
  const { signal } = new AbortController();
  await expect(made.verify(call, signal)).rejects.toThrow("the name of account");
  const self = {
    options: {},
    account: "app",
    using: { as: "self", credential: { ...credential, account: "app" } },
  } as const;
  await expect(made.retire?.(self, signal)).rejects.toThrow(ChangeRefusedError);
});

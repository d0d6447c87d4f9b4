import { expect, test } from "vitest";
import { ChangeRefusedError, ConfigError } from "../../shared/core/errors.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { makeMemoryRotator, makeMemorySystem } from "../../shared/rotators/memory.ts";
import { defineRotator, isDefined } from "../../shared/rotators/own/define.ts";

const memory = makeMemoryRotator(makeMemorySystem());

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
  [
    "a negative propagation",
    { capabilities: { ...memory.capabilities, propagation: -1 } },
    "must have milliseconds in capabilities.propagation",
  ],
])("a rotator with %s is refused when it is defined", (_what, changed, message) => {
  expect(() => define(changed)).toThrow(ConfigError);
  expect(() => define(changed)).toThrow(message);
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

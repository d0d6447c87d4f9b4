import { ConfigError } from "../../core/errors.ts";
import { guarded } from "../guarded.ts";
import type { Rotator } from "../rotator.ts";

/** The form of a type: as the name of a target, which people write beside it. */
const typePattern = /^[a-z][a-z0-9-]{0,62}$/;

/** Every rotator that `defineRotator` made in this process. A copy of Keyturn elsewhere has a set of its own. */
const defined = new WeakSet();

/** Functions that only make sense together, in the words of the contract. */
const pairs = [
  ["discard", "overlaps"],
  ["overlaps", "discard"],
  ["setBack", "hasSeveralServers"],
  ["hasSeveralServers", "setBack"],
  ["findSessionsFault", "hasSessions"],
  ["findRetireFault", "retire"],
  ["toConnectionString", "readConnectionString"],
  ["readConnectionString", "toConnectionString"],
  ["findTextFault", "toConnectionString"],
  ["settle", "mint"],
  ["settle", "findSettleTime"],
  ["findSettleTime", "findOwner"],
  ["findEnd", "findLifetime"],
] as const satisfies readonly (readonly [keyof Rotator, keyof Rotator])[];

/** Functions that every rotator has. */
const required = ["endpoint", "verify"] as const satisfies readonly (keyof Rotator)[];

/** What a system of two keys that take turns needs besides `mint`. */
const ofKeys = [
  "retire",
  "findOwner",
  "findSettleTime",
] as const satisfies readonly (keyof Rotator)[];

/** What makes no sense where the system creates the secrets. */
const ofChosen = [
  "toSecret",
  "findUnfitRules",
  "setBack",
] as const satisfies readonly (keyof Rotator)[];

/**
 * Makes a rotator of your own: checks what types cannot express, puts every call behind the checks of names that all rotators share, and
 * freezes it. Throws ConfigError with every problem.
 */
export function defineRotator<Options>(rotator: Rotator<Options>): Rotator<Options> {
  const problems = findProblems(rotator);
  if (problems.length > 0) {
    throw new ConfigError(`The rotator ${nameOf(rotator)} ${problems.join("; ")}.`);
  }
  const made = guarded(rotator);
  Object.freeze(made.capabilities);
  Object.freeze(made);
  defined.add(made);
  return made;
}

/** Whether `defineRotator` of this Keyturn made the value. */
export function isDefined(value: unknown): value is Rotator {
  return typeof value === "object" && value !== null && defined.has(value);
}

function findProblems<Options>(rotator: Rotator<Options>): string[] {
  const hasFunction: Has = (name) => typeof Reflect.get(rotator, name) === "function";
  return [
    ...(isType(rotator.type)
      ? []
      : [
          "must have a type of 1 to 63 lower-case letters, digits and hyphens that begins with a letter",
        ]),
    ...(isSchema(rotator.options)
      ? []
      : ["must have options that are a schema of zod. Use `z` of keyturn/rotator"]),
    ...findCapabilityProblems(rotator.capabilities),
    ...required.filter((name) => !hasFunction(name)).map((name) => `must have ${name}`),
    ...pairs
      .filter(([name, other]) => hasFunction(name) && !hasFunction(other))
      .map(([name, other]) => `has ${name} without ${other}`),
    ...findSourceProblems(hasFunction),
    ...(hasFunction("mint") ? findMintProblems(hasFunction, rotator.capabilities) : []),
  ];
}

type Has = (name: keyof Rotator) => boolean;

/** Either Keyturn chooses the secrets, or the system creates them. */
function findSourceProblems(has: Has): string[] {
  if (has("apply") && has("mint")) {
    return [
      "has apply and mint. Keep apply if Keyturn chooses the secrets, or mint if the system creates them",
    ];
  }
  if (has("apply") || has("mint")) return [];
  return [
    "must have apply or mint, because nothing else gives an account a new secret. For secrets that come from people, use type: external",
  ];
}

function findMintProblems(has: Has, capabilities: unknown): string[] {
  const missing = has("overlaps") ? [] : ofKeys.filter((name) => !has(name));
  const read = readFrom(capabilities);
  return [
    ...missing.map(
      (name) =>
        `has mint without ${name}, which two keys that take turns need. A system with secrets side by side has overlaps and discard`,
    ),
    ...ofChosen
      .filter((name) => has(name))
      .map((name) => `has mint and ${name}, although nobody chooses the secrets of its system`),
    ...(read("admin") === true || read("identity") === true
      ? []
      : [
          "has mint, so an admin or the app's identity must be able to use it: set capabilities.admin or capabilities.identity",
        ]),
  ];
}

const readFrom =
  (given: unknown) =>
  (name: string): unknown =>
    typeof given === "object" && given !== null ? Reflect.get(given, name) : undefined;

/** The types of JavaScript files are not checked, so nothing about the value is certain. */
function findCapabilityProblems(given: unknown): string[] {
  const read = readFrom(given);
  const authorities = ["selfService", "admin", "identity"];
  const wrong = authorities.filter((name) => typeof read(name) !== "boolean");
  const propagation = read("propagation");
  const isTime = typeof propagation === "number" && propagation >= 0;
  return [
    ...wrong.map((name) => `must say true or false in capabilities.${name}`),
    ...(wrong.length > 0 || authorities.some((name) => read(name) === true)
      ? []
      : ["has no authority that may change a secret. Set one of its capabilities to true"]),
    ...(isTime ? [] : ["must have milliseconds in capabilities.propagation. 0: no delay"]),
    ...(read("verifiesWithAdmin") === true && !isAdminOnly(read)
      ? ["has capabilities.verifiesWithAdmin, so an admin must be its only authority"]
      : []),
  ];
}

const isAdminOnly = (read: (name: string) => unknown): boolean =>
  read("admin") === true && read("selfService") !== true && read("identity") !== true;

const isType = (value: unknown): value is string =>
  typeof value === "string" && typePattern.test(value);

const isSchema = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "_zod" in value;

const nameOf = ({ type }: { readonly type: unknown }): string =>
  isType(type) ? type : "without a valid type";

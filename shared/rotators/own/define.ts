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
  ["findEnd", "findLifetime"],
] as const satisfies readonly (readonly [keyof Rotator, keyof Rotator])[];

/** Functions that every rotator has. `apply` is not among them, because a system may create its secrets itself. */
const required = ["endpoint", "verify"] as const satisfies readonly (keyof Rotator)[];

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
  const hasFunction = (name: string) => typeof Reflect.get(rotator, name) === "function";
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
      .filter(([name, other]) => name in rotator && !(other in rotator))
      .map(([name, other]) => `has ${name} without ${other}`),
  ];
}

/** The types of JavaScript files are not checked, so nothing about the value is certain. */
function findCapabilityProblems(given: unknown): string[] {
  const read = (name: string): unknown =>
    typeof given === "object" && given !== null ? Reflect.get(given, name) : undefined;
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
  ];
}

const isType = (value: unknown): value is string =>
  typeof value === "string" && typePattern.test(value);

const isSchema = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "_zod" in value;

const nameOf = ({ type }: { readonly type: unknown }): string =>
  isType(type) ? type : "without a valid type";

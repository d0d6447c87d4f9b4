import { z } from "zod";
import { findNearest } from "../../core/nearest.ts";
import { describeMissingSpace, findKeyWithoutSpace } from "../yaml/syntax.ts";

const expectations: Readonly<Record<string, string>> = {
  string: "must be text",
  number: "must be a number",
  int: "must be a whole number",
  boolean: "must be true or false",
  array: "must be a list, in [ ]",
  tuple: "must be a list, in [ ]",
  object: "must be a mapping of keys to values",
  record: "must be a mapping of keys to values",
};

/** Words that mean true or false only in YAML 1.1. */
const formerBooleans = /^(y|yes|n|no|on|off)$/i;

/** Describes an issue of zod. The message follows the path and never repeats a value, which could be a secret. */
export const describeIssue: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined) return "is missing";
  if (issue.input === null) return "has no value";
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue.expected, issue.input);
    case "invalid_value":
      return `must be ${listChoices(issue.values)}${hint(issue.input, issue.values)}`;
    case "too_small":
      return `must ${limit("at least", issue.origin, issue.minimum, issue.inclusive)}`;
    case "too_big":
      return `must ${limit("at most", issue.origin, issue.maximum, issue.inclusive)}`;
    case "invalid_format":
      return `is not ${issue.format === "regex" ? "in the required format" : `a valid ${issue.format}`}`;
    case "invalid_union":
      return wrongKind(issue.options, issue.discriminator, issue.input);
    default:
      return undefined;
  }
};

/** Characters of a name that a message quotes. */
const maxQuotedLength = 100;

/** Returns a suggestion such as ` (did you mean "orders"?)`, or an empty text when no candidate is similar. */
export function suggestWord(word: unknown, candidates: readonly unknown[]): string {
  const texts = candidates.filter((candidate) => typeof candidate === "string");
  const found = typeof word === "string" ? findNearest(word, texts) : undefined;
  return found === undefined ? "" : ` (did you mean "${found}"?)`;
}

/** Puts a name in quotes, and cuts it off if it is long. */
export function quoteText(text: string): string {
  return JSON.stringify(
    text.length > maxQuotedLength ? `${text.slice(0, maxQuotedLength)}…` : text,
  );
}

function wrongType(expected: string, input: unknown): string {
  const must = expectations[expected] ?? `must be of type ${expected}`;
  if (expected === "string" && (typeof input === "number" || typeof input === "boolean")) {
    return `${must}; put it in quotes`;
  }
  const key = typeof input === "string" ? findKeyWithoutSpace(input) : undefined;
  if ((expected === "object" || expected === "record") && key !== undefined) {
    return describeMissingSpace(key);
  }
  if (isQuoted(expected, input)) return `${must}; write it without quotes`;
  return must + (expected === "boolean" ? hint(input, [true, false]) : "");
}

/** Whether the input is a number, true or false that was written in quotes. */
function isQuoted(expected: string, input: unknown): boolean {
  if (typeof input !== "string") return false;
  return expected === "boolean"
    ? /^(true|false)$/.test(input)
    : (expected === "number" || expected === "int") && /^-?\d+(\.\d+)?$/.test(input);
}

function hint(input: unknown, values: readonly unknown[]): string {
  if (values.some((value) => typeof value !== "string" && String(value) === input)) {
    return "; write it without quotes";
  }
  if (input === false && values.includes(true)) return "; to turn it off, remove the field";
  const former = typeof input === "string" && formerBooleans.test(input);
  return former && values.includes(true)
    ? "; yes, no, on and off are text in YAML 1.2"
    : suggestWord(input, values);
}

function wrongKind(options: unknown, discriminator: unknown, input: unknown): string {
  if (!Array.isArray(options) || typeof discriminator !== "string") {
    return "has none of the allowed forms";
  }
  const given: unknown = z.record(z.string(), z.unknown()).safeParse(input).data?.[discriminator];
  const verb = given === undefined ? "is missing; it must be" : "must be";
  return `${verb} ${listChoices(options)}${suggestWord(given, options)}`;
}

function listChoices(values: readonly unknown[]): string {
  const written = values.map((value) => JSON.stringify(value));
  return written.length === 1 ? (written[0] ?? "") : `one of ${written.join(", ")}`;
}

function limit(
  words: string,
  origin: string,
  bound: number | bigint,
  inclusive: boolean | undefined,
): string {
  const amount = `${inclusive === false ? "beyond" : words} ${String(bound)}`;
  const one = bound === 1;
  if (origin === "string") return `have ${amount} ${one ? "character" : "characters"}`;
  if (origin === "array" || origin === "set") return `have ${amount} ${one ? "entry" : "entries"}`;
  return `be ${amount}`;
}

import { instantOf, nearestName } from "../../shared/app.ts";
import { RequestError } from "./request-error.ts";

/** Milliseconds that a caller's clock may be ahead of the app's. */
const maxClockSkewMs = 5 * 60 * 1_000;

/** Control characters, line separators, and characters that reverse or hide the text around them. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** Rejects an unknown field or parameter and suggests a similar name. The message repeats names, never values. */
export function refuseUnknown(
  kind: "field" | "query parameter",
  given: readonly string[],
  allowed: readonly string[],
): void {
  const unknown = given.find((name) => !allowed.includes(name));
  if (unknown === undefined) return;
  const shown = unknown.replace(new RegExp(unprintable, "gu"), " ").slice(0, 100);
  throw unknownWord(`Unknown ${kind} \`${shown}\`.`, unknown, allowed);
}

function unknownWord(what: string, word: string, allowed: readonly string[]): RequestError {
  const near = nearestName(word, allowed);
  const hint = near === undefined ? "" : ` Did you mean \`${near}\`?`;
  const names = allowed.length === 0 ? "none" : allowed.join(", ");
  return new RequestError(400, `${what}${hint} Allowed: ${names}.`);
}

/** Reads one of the allowed words; the first one is the default. */
export function readChoice<Word extends string>(
  field: string,
  words: readonly [Word, ...Word[]],
  value: unknown = words[0],
): Word {
  const known = words.find((word) => word === value);
  if (known !== undefined) return known;
  // The message does not repeat the value, which could be a secret in the wrong field.
  throw unknownWord(
    `Unknown value of \`${field}\`.`,
    typeof value === "string" ? value : "",
    words,
  );
}

/** Reads a short text. `what` completes the sentence "`field` must contain …". */
export function readText(field: string, what: string, value: unknown): string {
  if (typeof value === "string" && unprintable.test(value)) {
    throw new RequestError(
      400,
      `\`${field}\` must contain ${what}, without control or invisible characters.`,
    );
  }
  if (typeof value === "string" && /^.{1,200}$/su.test(value)) return value;
  throw new RequestError(400, `\`${field}\` must contain ${what}: text of 1 to 200 characters.`);
}

/** Reads `at` of a report, which must be in the past. */
export function readMoment(at: unknown): string {
  const moment = typeof at === "string" ? instantOf(at) : undefined;
  if (moment === undefined) {
    throw new RequestError(400, '`at` must be a time such as "2026-12-20T18:00:00Z".');
  }
  if (Date.parse(moment) > Date.now() + maxClockSkewMs) {
    throw new RequestError(400, "`at` must not be in the future.");
  }
  return moment;
}

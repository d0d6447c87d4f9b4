import { instantOf, nearestName } from "../../shared/app.ts";
import { Refusal } from "./refusal.ts";

/** Milliseconds by which the clocks of a reporter may be ahead of ours. */
const clockSkew = 5 * 60 * 1_000;

/** Control characters, line separators, and what reverses or hides the text around it. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** Refuses a field or parameter that nothing reads, and suggests the one that was meant. Repeats names, never values. */
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

function unknownWord(what: string, word: string, allowed: readonly string[]): Refusal {
  const near = nearestName(word, allowed);
  const hint = near === undefined ? "" : ` Did you mean \`${near}\`?`;
  const names = allowed.length === 0 ? "none" : allowed.join(", ");
  return new Refusal(400, `${what}${hint} Allowed: ${names}.`);
}

/** One of a few words; when absent, the first. */
export function readChoice<Word extends string>(
  field: string,
  words: readonly [Word, ...Word[]],
  value: unknown = words[0],
): Word {
  const known = words.find((word) => word === value);
  if (known !== undefined) return known;
  // The value itself is not repeated: it could be a secret that was put in the wrong place.
  throw unknownWord(
    `Unknown value of \`${field}\`.`,
    typeof value === "string" ? value : "",
    words,
  );
}

/** `what` completes "must say". */
export function readText(field: string, what: string, value: unknown): string {
  if (typeof value === "string" && unprintable.test(value)) {
    throw new Refusal(400, `${field} must say ${what}, without control or invisible characters.`);
  }
  if (typeof value === "string" && /^.{1,200}$/su.test(value)) return value;
  throw new Refusal(400, `${field} must say ${what}, in 1 to 200 characters.`);
}

/** `at` of a report: an instant that is past. */
export function readMoment(at: unknown): string {
  const moment = typeof at === "string" ? instantOf(at) : undefined;
  if (moment === undefined) {
    throw new Refusal(400, 'at must be an instant such as "2026-12-20T18:00:00Z".');
  }
  if (Date.parse(moment) > Date.now() + clockSkew) {
    throw new Refusal(400, "at must not lie in the future.");
  }
  return moment;
}

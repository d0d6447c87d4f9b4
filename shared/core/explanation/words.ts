import type { Failure } from "../record/record.ts";

/** The text without its final period, to be continued or ended by the caller. Never empty. */
export function withoutPeriod(text: string): string {
  return text.trim().replace(/\.+$/, "") || "no reason was recorded";
}

/** A sentence: the words before the colon, then a recorded text, which may begin with the name of an object. */
export function sentence(lead: string, recorded: string): string {
  return `${lead}: ${withoutPeriod(recorded)}.`;
}

export function describeFailure({ kind, message, at }: Failure): string {
  return sentence(`The last failure was at ${at} (\`${kind}\`)`, message);
}

/** "1 rotation", "2 rotations". */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

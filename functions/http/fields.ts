import { instantOf } from "../../shared/app.ts";
import { Refusal } from "./handle.ts";

/** Milliseconds by which the clocks of a reporter may be ahead of ours. */
const clockSkew = 5 * 60 * 1_000;

export function refuseUnknown(body: Record<string, unknown>, fields: readonly string[]): void {
  const unknown = Object.keys(body).filter((field) => !fields.includes(field));
  if (unknown.length === 0) return;
  const [known, names] = [fields.join(", "), unknown.join(", ").slice(0, 100)];
  throw new Refusal(400, `The body may hold ${known}, and not ${names}.`);
}

export function readText(field: string, what: string, value: unknown): string {
  if (typeof value === "string" && /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]{1,200}$/u.test(value))
    return value;
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

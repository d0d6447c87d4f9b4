import type { Refusal } from "../record/record.ts";
import { between, day, type Instant, minute, plus } from "../time.ts";

/**
 * Servers lock an account after a few wrong passwords in a row, and count them for ten minutes or more. Every log-in with a
 * stored secret counts here: those of the preflight, the proof and the check. Hardening guides lock an account after five or more.
 */
export const maxGuesses = 4;
/** A search for a working secret among several leaves the last guess for the proof of a change. */
export const maxSearchGuesses = maxGuesses - 1;
export const guessWindowMs = 10 * minute;

/**
 * How long Keyturn remembers which versions were refused, to try others first. It is longer than the time between two tries of a
 * rotation.
 */
const memoryMs = day;

const maxRefusals = 40;

/** When Keyturn may try the account again after so many refusals; undefined when it may try now. */
export function findGuessPause(
  refusals: readonly Refusal[],
  account: string,
  now: Instant,
  maxTries = maxGuesses,
): Instant | undefined {
  const recent = within(guessWindowMs, refusals, now).filter((one) => one.account === account);
  const deciding = recent.at(-maxTries);
  return deciding && plus(deciding.at, guessWindowMs);
}

/** When the target last refused this version of the account's secret, if that was within a day and no log-in has succeeded since. */
export function findRefusal(
  refusals: readonly Refusal[],
  { account, version }: Omit<Refusal, "at">,
  now: Instant,
): Instant | undefined {
  return within(memoryMs, refusals, now).findLast(
    (one) => one.account === account && one.version === version,
  )?.at;
}

/** The refusals with one more. Of refusals too old to cause a pause, only the last one of each version stays. */
export function addRefusal(refusals: readonly Refusal[], refusal: Refusal): Refusal[] {
  const all = [...within(memoryMs, refusals, refusal.at), refusal];
  const recent = new Set(within(guessWindowMs, all, refusal.at));
  const isRepeated = (one: Refusal, index: number) =>
    all.slice(index + 1).some(({ version }) => version === one.version);
  return all.filter((one, index) => recent.has(one) || !isRepeated(one, index)).slice(-maxRefusals);
}

/** The refusals after a log-in of the account, which resets the count of the server. */
export function clearRefusals(refusals: readonly Refusal[], account: string): Refusal[] {
  return refusals.filter((one) => one.account !== account);
}

function within(milliseconds: number, refusals: readonly Refusal[], now: Instant): Refusal[] {
  return refusals.filter(({ at }) => Math.abs(between(at, now)) < milliseconds);
}

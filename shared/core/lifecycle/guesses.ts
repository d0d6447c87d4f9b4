import type { Refusal } from "../record/rotation.ts";
import { between, day, type Instant, minute, plus } from "../time.ts";

/**
 * Servers lock an account after a few wrong passwords in a row, and count them for ten minutes or more. Every log-in with a
 * stored secret counts here, whoever makes it: preflight, proof or check. Hardening guides begin at five.
 */
export const maxGuesses = 4;
/** Whoever looks for a secret that works among several leaves the last guess to the proof of a change. */
export const maxSearchGuesses = maxGuesses - 1;
export const guessWindowMs = 10 * minute;

/**
 * For so long it is remembered which versions were refused: others are tried before them. Longer than the retries of a
 * rotation are apart.
 */
const memoryMs = day;

const maxRefusals = 40;

/** When the account may be asked again after so many refusals; undefined when it may be asked now. */
export function findGuessPause(
  refusals: readonly Refusal[],
  account: string,
  now: Instant,
  most = maxGuesses,
): Instant | undefined {
  const recent = within(guessWindowMs, refusals, now).filter((one) => one.account === account);
  const deciding = recent.at(-most);
  return deciding && plus(deciding.at, guessWindowMs);
}

/** When the account's secret of this version was last refused, if that was within a day and nothing was accepted since. */
export function findRefusal(
  refusals: readonly Refusal[],
  { account, version }: Omit<Refusal, "at">,
  now: Instant,
): Instant | undefined {
  return within(memoryMs, refusals, now).findLast(
    (one) => one.account === account && one.version === version,
  )?.at;
}

/** The refusals with one more. Of those that no pause depends on any more, one of each version is enough. */
export function addRefusal(refusals: readonly Refusal[], refusal: Refusal): Refusal[] {
  const all = [...within(memoryMs, refusals, refusal.at), refusal];
  const recent = new Set(within(guessWindowMs, all, refusal.at));
  const isRepeated = (one: Refusal, index: number) =>
    all.slice(index + 1).some(({ version }) => version === one.version);
  return all.filter((one, index) => recent.has(one) || !isRepeated(one, index)).slice(-maxRefusals);
}

/** The refusals once the account has logged in: servers begin to count anew. */
export function clearRefusals(refusals: readonly Refusal[], account: string): Refusal[] {
  return refusals.filter((one) => one.account !== account);
}

function within(milliseconds: number, refusals: readonly Refusal[], now: Instant): Refusal[] {
  return refusals.filter(({ at }) => Math.abs(between(at, now)) < milliseconds);
}

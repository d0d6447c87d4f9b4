import type { Refusal } from "./rotation.ts";
import { between, type Instant, minute, plus } from "./time.ts";

/**
 * Servers lock an account after a few wrong passwords in a row, and count them for ten minutes or more. Every log-in with a
 * stored secret counts here, whoever makes it: preflight, proof or check. Hardening guides begin at five.
 */
export const maxGuesses = 4;
export const guessWindowMs = 10 * minute;

const maxRefusals = 20;

/** When the account may be asked again after too many refusals; undefined when it may be asked now. */
export function findGuessPause(
  refusals: readonly Refusal[],
  account: string,
  now: Instant,
): Instant | undefined {
  const recent = findRecent(refusals, now).filter((one) => one.account === account);
  const deciding = recent.at(-maxGuesses);
  return deciding && plus(deciding.at, guessWindowMs);
}

/** Whether the account's secret of this version was refused a short while ago. */
export function isRecentlyRefused(
  refusals: readonly Refusal[],
  { account, version }: Omit<Refusal, "at">,
  now: Instant,
): boolean {
  return findRecent(refusals, now).some(
    (one) => one.account === account && one.version === version,
  );
}

/** The refusals with one more. */
export function addRefusal(refusals: readonly Refusal[], refusal: Refusal): Refusal[] {
  return [...findRecent(refusals, refusal.at), refusal].slice(-maxRefusals);
}

/** The refusals once the account has logged in: servers begin to count anew. */
export function clearRefusals(refusals: readonly Refusal[], account: string): Refusal[] {
  return refusals.filter((one) => one.account !== account);
}

function findRecent(refusals: readonly Refusal[], now: Instant): Refusal[] {
  return refusals.filter(({ at }) => Math.abs(between(at, now)) < guessWindowMs);
}

import { between, type Instant, plus, second } from "../time.ts";

/** What Key Vault creates at most in 10 seconds, keys and certificates included, for everybody who uses the vault. */
export const mostCreates = 300;
const limitWindow = 10 * second;

/** What Keyturn takes of that by default. The rest is for changes that must be published at once, and for others. */
export const defaultCreates = 280;

/** Milliseconds. Nobody waits longer for a vault, so a moment further ahead was not meant. */
export const longestHold = 30 * second;

/** Milliseconds of a vault's time that may be caught up on after nobody has wanted anything. */
const burst = second / 2;

export interface Room {
  /** Milliseconds until the versions may be created. */
  readonly wait: number;
  /** From when on there is room for the next ones. */
  readonly freeAt: Instant;
}

/**
 * Room for some versions in a vault in which there is room from `freeAt` on: evenly, `perWindow` in 10 seconds. Whoever takes it
 * moves `freeAt`.
 */
export function roomFor(
  creates: number,
  freeAt: Instant | undefined,
  perWindow: number,
  now: Instant,
): Room {
  const earliest = plus(now, -burst);
  const isMeant = freeAt !== undefined && between(now, freeAt) <= 2 * longestHold;
  const from = isMeant && freeAt > earliest ? freeAt : earliest;
  return {
    wait: Math.max(0, between(now, from)),
    freeAt: plus(from, (creates * limitWindow) / perWindow),
  };
}

import { between, type Instant, plus, second } from "../time.ts";

/** How many objects Key Vault creates in 10 seconds at most, for all clients of a vault together: secrets, keys and certificates. */
export const maxCreates = 300;
/** Milliseconds for which the limit of a vault counts. */
export const limitWindow = 10 * second;

/** Keyturn's default share of that limit. The rest is for changes that must be published at once, and for other clients. */
export const defaultCreates = 280;

/** Milliseconds. No worker waits longer for a vault, so a later time in the journal is an error. */
export const maxHoldMs = 30 * second;

/** Milliseconds of unused room that workers can catch up on after the vault was idle. */
const burst = second / 2;

export interface Room {
  /** Milliseconds until the versions may be created. */
  readonly wait: number;
  /** When there is room for the next versions. */
  readonly freeAt: Instant;
}

/**
 * Finds room for some versions in a vault that has room from `freeAt` on, evenly `perWindow` in 10 seconds. The worker that takes
 * the room moves `freeAt`.
 */
export function findRoom(
  creates: number,
  freeAt: Instant | undefined,
  perWindow: number,
  now: Instant,
): Room {
  const earliest = plus(now, -burst);
  const isMeant = freeAt !== undefined && between(now, freeAt) <= 2 * maxHoldMs;
  const from = isMeant && freeAt > earliest ? freeAt : earliest;
  return {
    wait: Math.max(0, between(now, from)),
    freeAt: plus(from, (creates * limitWindow) / perWindow),
  };
}

import type { Instant } from "../time.ts";
import type { Justification } from "./justification.ts";

/** A person wants the target left alone for a while: no rotation starts, and no account is retired. */
export interface Pause extends Justification {
  readonly reason: string;
  readonly by: string;
  readonly at: Instant;
  /** Every pause ends. */
  readonly until: Instant;
}

/** A person let a rotation start although the target is paused. The force also applies to retries after a failure. */
export interface Force {
  /** The reason that the person gave. */
  readonly why: string;
  readonly by: string;
  readonly at: Instant;
}

/** The later of two forces, because a force counts for the pauses before it. The same object as `known` when nothing is added. */
export function findLaterForce(
  known: Force | undefined,
  added: Force | undefined,
): Force | undefined {
  return known === undefined || (added !== undefined && added.at > known.at) ? added : known;
}

interface Pausable {
  readonly pause?: Pause;
}

/** The pause of the target, which may have ended. A force counts for the pause that it was given for, and not for a later one. */
export function findUnforcedPause(
  { pause }: Pausable,
  force: Force | undefined,
): Pause | undefined {
  const isForced = pause !== undefined && force !== undefined && force.at >= pause.at;
  return isForced ? undefined : pause;
}

/** The pause that keeps the target from starting a rotation now. */
export function findPause(record: Pausable, now: Instant, force?: Force): Pause | undefined {
  const pause = findUnforcedPause(record, force);
  return pause && pause.until > now ? pause : undefined;
}

/** The moment, or the end of a pause that ends later and does not have this force. */
export function notBeforePause(at: Instant, record: Pausable, force?: Force): Instant {
  const pause = findUnforcedPause(record, force);
  return pause && pause.until > at ? pause.until : at;
}

/** Who paused the target, until when and why. */
export function describePause({ by, until, reason, ticket }: Pause): string {
  const words = ticket === undefined ? reason : `${reason}; ticket: ${ticket}`;
  return `paused by ${by} until ${until} (${words})`;
}

/** The same for a rotation that waits, with what to do. */
export function describePauseOfRotation(pause: Pause): string {
  return `${describePause(pause)}; a request with force does not wait`;
}

export function isSamePause(a: Pause | undefined, b: Pause | undefined): boolean {
  const fields = ["reason", "ticket", "by", "at", "until"] as const;
  return fields.every((field) => a?.[field] === b?.[field]);
}

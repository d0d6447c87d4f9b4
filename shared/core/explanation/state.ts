import { type explainedStates } from "../answer-words.ts";
import { isHurried } from "../lifecycle/request.ts";
import { findQueued } from "../record/queued.ts";
import { type Rotation } from "../record/record.ts";
import { mayHaveChanged } from "../record/rotation.ts";
import type { Situation } from "./situation.ts";

/**
 * The state of a target in one word.
 *
 * | state | meaning |
 * |---|---|
 * | `new` | Keyturn has not adopted the target yet |
 * | `healthy` | the last rotation or adoption succeeded, and nothing is due |
 * | `retiring` | healthy, and the superseded account of the pair still has its password |
 * | `due` | a rotation starts with the next sweep |
 * | `waiting` | a rotation is requested, due or open, and something delays it |
 * | `rotating` | a rotation is open and continues now |
 * | `retrying` | a rotation is open and waits for its next attempt |
 * | `stalled` | all attempts are used up, but the password may have changed, so the rotation continues at long intervals |
 * | `failing` | the last rotation, check or adoption failed; Keyturn tries again |
 * | `blocked` | no stored password is known to work; a person must act |
 * | `resting` | an error in Keyturn itself postpones all work |
 * | `unreadable` | this version of Keyturn cannot read the journal row |
 */
export type ExplainedState = (typeof explainedStates)[number];
export type ReadableState = Exclude<ExplainedState, "unreadable">;

export function findState(situation: Situation): ReadableState {
  const { record, now, waiting } = situation;
  const { restUntil, rotation, adoptedAt, nextDue } = record;
  if (restUntil !== undefined && restUntil > now) return "resting";
  if (rotation) return findOpenState(situation, rotation);
  if (adoptedAt === undefined) return findStateBeforeAdoption(situation);
  if (findQueued(record)) return waiting ? "waiting" : "due";
  if (nextDue !== undefined && nextDue <= now) return waiting ? "waiting" : "due";
  if (record.again?.heldBy !== undefined) return "waiting";
  return findIdleState(situation);
}

function findOpenState({ record, now, waiting, target }: Situation, rotation: Rotation) {
  if (!isHurried(record)) {
    if (rotation.phase === "blocked") return "blocked";
    const isPausing = (rotation.nextAttemptAt ?? now) > now;
    if (isPausing && rotation.heldBy === undefined && !isSkipped(record, now)) {
      const isUsedUp = rotation.failures >= target.policy.retry.attempts;
      return isUsedUp && mayHaveChanged(rotation) ? "stalled" : "retrying";
    }
  }
  return waiting ? "waiting" : "rotating";
}

function isSkipped({ skipped }: Situation["record"], now: string): boolean {
  return skipped !== undefined && skipped.until > now;
}

function findStateBeforeAdoption({ record, now }: Situation): ReadableState {
  const { health, lastFailure } = record;
  if (health === "blocked") return "blocked";
  if (isSkipped(record, now)) return "waiting";
  return health === "failing" && lastFailure ? "failing" : "new";
}

/** The state of an adopted target for which nothing is due, requested or open. */
function findIdleState({ record, waiting }: Situation): ReadableState {
  const { health, refusedSince, again, retirement } = record;
  const isFailing = health === "failing" || health === "blocked";
  if (isFailing || refusedSince !== undefined || again) return "failing";
  if (waiting) return "waiting";
  return retirement ? "retiring" : "healthy";
}

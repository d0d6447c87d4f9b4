import type { ErrorKind } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import { withDueAt } from "../record/due.ts";
import { mayBeLive } from "../record/given.ts";
import { type Failure, type Rotation, schedule, type TargetRecord } from "../record/record.ts";
import { mayHaveChanged, pickGiven, withoutHold } from "../record/rotation.ts";
import { abandon, findSlot, isFullOfDoubt, withSlot } from "../record/slots.ts";
import { type Instant, plus } from "../time.ts";
import { notify, toFailureData } from "./notifications.ts";
import { closePhases, withoutAnswered } from "./progress.ts";
import {
  computePublishingRetryDelay,
  computeUrgentRetryDelay,
  isAway,
  retryDelay,
} from "./retry.ts";

export type AttemptOutcome = "retry" | "leave-undone" | "failed" | "blocked";

/** Decides what follows a failed step. Once a change may have begun, only a certain outcome ends a rotation. */
export function decideAfterFailure(
  rotation: Rotation,
  kind: ErrorKind,
  policy: Policy,
): AttemptOutcome {
  // The new secret is public and proven: no later failure may lose it.
  if (rotation.phase === "refreshing" || rotation.phase === "cleaning") {
    return rotation.failures + 1 < policy.retry.attempts ? "retry" : "leave-undone";
  }
  if (kind === "no-live-credential") return "blocked";
  if (kind === "change-refused") return "failed";
  if (mayHaveChanged(rotation)) return "retry";
  if (kind === "config") return "failed";
  // Nobody knows yet whether the target has the imported secret, so only its answer ends the rotation.
  if (mayBeLive(rotation.given)) return "retry";
  return rotation.failures + 1 < policy.retry.attempts ? "retry" : "failed";
}

/**
 * Whether consumers may be unable to log in until the rotation continues: the target is known to refuse the published secret, the
 * published account may have a new password, or the target may not have accepted the published version yet. Without a known active
 * account the answer is yes.
 */
export function isUrgent({ active, refusedSince }: TargetRecord, rotation: Rotation): boolean {
  if (refusedSince !== undefined) return true;
  if (!mayHaveChanged(rotation)) return false;
  const isPublishing = rotation.phase === "publishing" || rotation.phase === "checking";
  return isPublishing || active === undefined || active === rotation.account;
}

/** The rotation with one more failure. `urgent`: consumers may be unable to log in until the rotation continues. */
export function retryLater(
  rotation: Rotation,
  failure: Failure,
  policy: Policy,
  urgent = false,
): Rotation & { readonly nextAttemptAt: Instant } {
  const failures = rotation.failures + 1;
  const delay = chooseDelay({ ...rotation, failures }, failure, policy, urgent);
  return {
    ...withoutHold(rotation),
    failures,
    nextAttemptAt: plus(failure.at, delay),
    ...(failure.kind === "outcome-unknown" && rotation.changeBegan && { outcomeInDoubt: true }),
  };
}

/** Milliseconds. Between a change and its check, consumers may be refused until the vault and the server are available again. */
function chooseDelay(
  { id, phase, failures }: Rotation,
  failure: Failure,
  { retry }: Policy,
  urgent: boolean,
): number {
  const isHalfWay = phase === "publishing" || phase === "checking";
  if (isHalfWay && isAway(failure)) return computePublishingRetryDelay(failures, id);
  if (urgent) return computeUrgentRetryDelay(retry, failures, id, isAway(failure));
  return retryDelay(retry, failures, id);
}

/** The record while its rotation waits for the next try. Keyturn reports once that the rotation is stalled. */
export function stallRotation(
  record: TargetRecord,
  rotation: Rotation,
  failure: Failure,
  policy: Policy,
): TargetRecord {
  const waiting: TargetRecord = { ...record, health: "failing", rotation, lastFailure: failure };
  return rotation.failures === policy.retry.attempts
    ? notify(waiting, {
        type: "rotation.stalled",
        at: failure.at,
        data: toFailureData(rotation, failure),
      })
    : waiting;
}

export function failRotation(
  record: TargetRecord,
  rotation: Rotation,
  failure: Failure,
  policy: Policy,
): TargetRecord {
  const { rotation: _, ...rest } = withoutAnswered(record, rotation);
  const at = plus(failure.at, delayAfterFailure(record, rotation, failure, policy));
  const planned = rotation.given ? rest : withRetry(rest, rotation, at);
  const failed: TargetRecord = {
    ...planned,
    health: "failing",
    lastFailure: failure,
    slots: withDoubtfulPending(record.slots, rotation),
  };
  return notify(failed, {
    type: "rotation.failed",
    at: failure.at,
    data: toFailureData(rotation, failure),
  });
}

/** A failed rotation is repeated with another secret. An import or an undo is not: its secret is the point of it. */
function withRetry(record: TargetRecord, rotation: Rotation, at: Instant): TargetRecord {
  const why = `another attempt, because rotation ${rotation.id} failed`;
  return {
    ...withDueAt(record, at, why),
    failures: record.failures + 1,
    again: {
      why,
      reason: rotation.reason,
      requestedBy: rotation.requestedBy,
      ...(rotation.requestedBy !== schedule && { requestedAt: rotation.requestedAt }),
      ...(rotation.grace !== undefined && { grace: rotation.grace }),
      ...pickGiven(rotation),
    },
  };
}

/**
 * Keeps the pending version as a candidate, if the account may have its secret. That of an import is stored before the rotation begins,
 * so it is kept even if the rotation fails before it gets further.
 */
function withDoubtfulPending(
  slots: TargetRecord["slots"],
  { account, pending, given, outcomeInDoubt, confirmedAt }: Rotation,
): TargetRecord["slots"] {
  const slot = findSlot({ slots }, account);
  const inDoubt = outcomeInDoubt === true || confirmedAt !== undefined;
  if (pending && inDoubt) return withSlot(slots, abandon(slot, pending));
  // An import that nobody could try must not push out a version that Keyturn itself may have set.
  const isUntried = mayBeLive(given) && !isFullOfDoubt(slot);
  return given && isUntried ? withSlot(slots, abandon(slot, given.ref)) : slots;
}

/** Milliseconds. The tries of the rotation count as used up, so the next rotation waits for the long interval. */
function delayAfterFailure(
  record: TargetRecord,
  rotation: Rotation,
  { kind }: Failure,
  { retry }: Policy,
): number {
  const failures = record.failures + 1;
  if (isUrgent(record, rotation))
    return computeUrgentRetryDelay(retry, failures, rotation.id, false);
  const used = kind === "change-refused" ? failures : retry.attempts;
  return retryDelay(retry, used, rotation.id);
}

export function blockRotation(
  record: TargetRecord,
  rotation: Rotation,
  failure: Failure,
): TargetRecord {
  const blocked: TargetRecord = {
    ...record,
    health: "blocked",
    rotation: {
      ...withoutHold(rotation),
      phase: "blocked",
      phases: closePhases(rotation, failure.at),
    },
    lastFailure: failure,
  };
  // A rotation can be blocked more than once; each time is a new notification.
  const about = `${rotation.id}/${failure.at}`;
  return notify(blocked, {
    type: "rotation.blocked",
    at: failure.at,
    data: toFailureData(rotation, failure),
    about,
  });
}

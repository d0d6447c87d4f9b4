import { describePauseOfRotation, findLaterForce, findPause, type Force } from "../record/pause.ts";
import type { Rotation, RotationRequest, TargetRecord } from "../record/record.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import { isClaimed, isPaused } from "./decide.ts";
import { findHold, keepUnlessSooner } from "./hold.ts";
import { isHurried, joinRequest } from "./request.ts";

/** Why a rotation does not start or continue. */
export interface Waiting {
  readonly why: string;
  /** Absent when the end is not known, for example when a person must decide. */
  readonly until?: Instant;
}

/**
 * Why the rotation with this id waits now. Undefined when a worker is working on it, when it can begin now, or when it is neither
 * queued nor open.
 */
export function describeWaiting(
  record: TargetRecord,
  rotationId: string,
  target: Target,
  now: Instant,
): Waiting | undefined {
  const { rotation, request, given } = record;
  const queued = [given, request].find((one) => one?.rotationId === rotationId);
  const reasons =
    rotation?.id === rotationId
      ? openWaits(record, rotation, target, now)
      : queued
        ? queuedWaits(record, queued, target, now)
        : datedWaits(record, rotationId, target, now);
  // The reason that ends last decides. A reason without a known end comes after all others.
  return reasons.find(({ until }) => until === undefined) ?? findLast(reasons);
}

function findLast(reasons: readonly Waiting[]): Waiting | undefined {
  return reasons.toSorted((a, b) => ((a.until ?? "") < (b.until ?? "") ? 1 : -1))[0];
}

function openWaits(
  record: TargetRecord,
  rotation: Rotation,
  target: Target,
  now: Instant,
): Waiting[] {
  if (!isHurried(record)) {
    const tries = nextTry(record, now);
    const held = tries.length === 0 ? findHold(record, rotation, target, now) : undefined;
    return [
      ...describeBlocked(record),
      ...rest(record, now),
      ...tries,
      ...(held && rotation.phase !== "blocked" ? [held] : []),
      ...pauseOfOpen(record, rotation, now),
    ];
  }
  const joined = joinRequest(record, now).rotation ?? rotation;
  const hold = findHold(record, joined, target, now);
  return [...rest(record, now), ...(hold ? [hold] : []), ...pauseOfOpen(record, joined, now)];
}

function queuedWaits(
  record: TargetRecord,
  request: RotationRequest,
  { policy }: Target,
  now: Instant,
): Waiting[] {
  const { claim } = record;
  const { notBefore, heldBy = "the request was postponed" } = request;
  const before = isHurried(record) ? joinRequest(record, now) : record;
  const { rotation } = before;
  if (rotation) {
    const others = [
      ...describeBlocked(before),
      ...rest(record, now),
      ...nextTry(before, now),
      ...pauseOfOpen(before, rotation, now),
    ];
    const why = `rotation ${rotation.id} of the target must end first`;
    return others.length === 0
      ? [{ why }]
      : others.map((one) => ({ ...one, why: `${why}; ${one.why}` }));
  }
  const dated: Waiting[] = [
    ...rest(record, now),
    ...pause(record, request.force, now),
    ...(notBefore !== undefined && notBefore > now
      ? [keepUnlessSooner({ until: notBefore, why: heldBy }, record, policy, now)]
      : []),
    ...(isClaimed(record, now)
      ? [
          {
            why: "a worker is working on the target; the rotation starts as soon as it is done, at the latest when its claim ends",
            ...(claim.until !== undefined && { until: claim.until }),
          },
        ]
      : []),
  ];
  if (dated.length > 0 || record.adoptedAt !== undefined) return dated;
  return [{ why: "the target must be adopted first: Keyturn verifies its current credential" }];
}

/** A rotation that a person scheduled. At its date it waits like a request, with the force of a request that waits already. */
function datedWaits(
  record: TargetRecord,
  rotationId: string,
  target: Target,
  now: Instant,
): Waiting[] {
  const found = record.dated?.find((one) => one.rotationId === rotationId);
  if (!found) return [];
  const { notBefore: until, requestedBy } = found;
  const force = findLaterForce(record.request?.force, found.force);
  if (until <= now) return queuedWaits(record, { ...found, ...(force && { force }) }, target, now);
  // What else will delay it at its date is not known yet.
  return [{ until, why: `scheduled for ${until} by ${requestedBy}` }, ...pause(record, force, now)];
}

function describeBlocked({ rotation, lastFailure }: TargetRecord): Waiting[] {
  if (rotation?.phase !== "blocked") return [];
  const found = lastFailure ? `: ${lastFailure.message}` : "";
  return [{ why: `the target is blocked until a person fixes it and requests a rotation${found}` }];
}

function rest(record: TargetRecord, now: Instant): Waiting[] {
  const { restUntil, lastFailure, skipped } = record;
  const found = lastFailure ? `: ${lastFailure.message}` : "";
  return [
    { until: skipped?.until, why: skipped?.why },
    { until: restUntil, why: `the target rests after an internal error in Keyturn${found}` },
  ].flatMap((one) =>
    one.until !== undefined && one.until > now ? [{ until: one.until, why: one.why ?? "" }] : [],
  );
}

function pauseOfOpen(record: TargetRecord, rotation: Rotation, now: Instant): Waiting[] {
  return isPaused(record, rotation, now) ? pause(record, rotation.force, now) : [];
}

/** A person has paused the target. */
function pause(record: TargetRecord, force: Force | undefined, now: Instant): Waiting[] {
  const found = findPause(record, now, force);
  return found ? [{ until: found.until, why: describePauseOfRotation(found) }] : [];
}

/** The wait for the next attempt, or until a window opens or a freeze ends. */
function nextTry({ rotation, lastFailure }: TargetRecord, now: Instant): Waiting[] {
  const { nextAttemptAt, heldBy } = rotation ?? {};
  if (nextAttemptAt === undefined || nextAttemptAt <= now) return [];
  const failed = lastFailure ? `: ${lastFailure.message}` : "";
  return [
    {
      until: nextAttemptAt,
      why:
        heldBy ?? `the last attempt failed, and the rotation waits for the next attempt${failed}`,
    },
  ];
}

import { withDueAt } from "../record/due.ts";
import { type RunRecord } from "../record/history.ts";
import { mapJustification } from "../record/justification.ts";
import {
  type QueuedRequest,
  type RetryIntent,
  type Rotation,
  type RotationRequest,
  type TargetRecord,
  type WorkingPhase,
} from "../record/record.ts";
import { newRun, pickGiven, withoutHold, withPhase } from "../record/rotation.ts";
import { maxNameLength, maxWhyLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import { isSameRequest, isWantedAlike, joinedTo, stricter } from "./combine.ts";
import type { Hold } from "./grace-hold.ts";
import { findHold } from "./hold.ts";
import { describeStart, findHoldOfRequest } from "./permit.ts";

export interface AcceptedRequest {
  /** The rotation that will answer the request: an open one whose secret is not public yet, or a new one. */
  readonly rotationId: string;
  /** The same object as before when the request adds nothing to the record. */
  readonly record: TargetRecord;
  /** The history row of a rotation that is newly queued, or queued for a new reason. */
  readonly run?: RunRecord;
}

/**
 * Any rotation whose new secret becomes public after the request was made answers it. So a request joins an open rotation that has
 * not published yet, or another waiting request. Otherwise it waits for a rotation of its own. A rotation that must end before is
 * hurried.
 *
 * The caller writes only `request`, whatever the state of the target. A worker that holds the claim can merge this one field without
 * losing anything (see `joinRequest`).
 */
export function acceptRequest(
  record: TargetRecord,
  asked: RotationRequest,
  target: Target,
  now: Instant,
): AcceptedRequest {
  const { rotation } = record;
  const request = shortenRequest(asked);
  const accepting = { target, now };
  const open = rotation && mayAnswer(rotation) ? rotation : undefined;
  // The open rotation has already answered the waiting request: its secret is public, so a new request cannot join.
  const waiting = !open && isJoined(record) ? undefined : record.request;
  if (waiting) {
    const joined = stricter(waiting, request, record);
    return joinWaiting(record, waiting, withHurry(joined, record, accepting), accepting);
  }
  if (open) return joinOpen(record, open, { ...request, rotationId: open.id }, accepting);
  return queue(record, withHurry(request, record, accepting), accepting);
}

/**
 * A phase is named for the effect that may already have happened. From `publishing` on the secret may be public, and the person who
 * makes the request may have seen it.
 */
function mayAnswer({ phase, published, given }: Rotation): boolean {
  if (published !== undefined) return false;
  // The secret of an import or an undo is not new. A request only makes a blocked one go on.
  return phase === "blocked" || (given === undefined && !publicPhases.includes(phase));
}

const publicPhases: readonly WorkingPhase[] = ["publishing", "checking", "refreshing", "cleaning"];

/** Callers can send names and reasons of any length. */
export function shortenRequest<Request extends RotationRequest>(request: Request): Request {
  const { requestedBy, why, lift, force, justification } = request;
  return {
    ...request,
    requestedBy: shorten(requestedBy, maxNameLength),
    ...(why !== undefined && { why: shorten(why, maxWhyLength) }),
    ...(justification && {
      justification: mapJustification(justification, (text) => shorten(text, maxWhyLength)),
    }),
    ...(lift && {
      lift: { ...lift, by: shorten(lift.by, maxNameLength), why: shorten(lift.why, maxWhyLength) },
    }),
    ...(force && {
      force: {
        ...force,
        by: shorten(force.by, maxNameLength),
        why: shorten(force.why, maxWhyLength),
      },
    }),
  };
}

interface Accepting {
  readonly target: Target;
  readonly now: Instant;
}

function joinWaiting(
  record: TargetRecord,
  waiting: QueuedRequest,
  joined: QueuedRequest,
  accepting: Accepting,
): AcceptedRequest {
  const { rotationId } = waiting;
  if (isSameRequest(waiting, joined)) return { rotationId, record };
  if (isJoined(record)) return { rotationId, record: { ...record, request: joined } };
  return queue(record, joined, accepting);
}

function joinOpen(
  record: TargetRecord,
  open: Rotation,
  request: RotationRequest,
  { target, now }: Accepting,
): AcceptedRequest {
  const { rotationId } = request;
  const joined = joinedTo(open, request, record);
  const isHurrying = endsWait(open, findHold(record, joined, target, now), now);
  const isNews = isHurrying || !isWantedAlike(joined, open);
  return { rotationId, record: isNews ? { ...record, request } : record };
}

/** The request that another rotation than the open one answers. It hurries the open one, because it starts only after that. */
function withHurry(
  request: RotationRequest,
  record: TargetRecord,
  { target, now }: Accepting,
): QueuedRequest {
  const { rotation } = record;
  if (!rotation || rotation.id === request.rotationId) return request;
  const hold = findHold(record, rotation, target, now);
  return endsWait(rotation, hold, now) ? { ...request, hurries: rotation.id } : request;
}

/** Whether a request ends the wait of the open rotation. What delays it in spite of the request (`hold`) stays. */
function endsWait({ phase, nextAttemptAt }: Rotation, hold: Hold | undefined, now: Instant) {
  if (phase === "blocked") return true;
  // After these tries are used up, a consumer is left alone with a secret that the next rotation may end.
  if (phase === "refreshing" || phase === "cleaning") return false;
  return nextAttemptAt !== undefined && nextAttemptAt > now && hold?.until !== nextAttemptAt;
}

/** Queues a rotation for the request. The record and the history say until when it waits, and why. */
function queue(
  record: TargetRecord,
  request: QueuedRequest,
  { target, now }: Accepting,
): AcceptedRequest {
  const { held, run } = queueRotation(record, request, target, now);
  return { rotationId: request.rotationId, record: { ...record, request: held }, run };
}

/** The request with its hold, if there is one, and the history row of its rotation. */
export function queueRotation<Request extends RotationRequest>(
  record: TargetRecord,
  request: Request,
  target: Target,
  now: Instant,
): { readonly held: Request; readonly run: RunRecord } {
  const { rotationId, reason, requestedBy, at } = request;
  const hold = findHoldOfRequest(request, record, target, now);
  const held = hold ? { ...request, notBefore: hold.until, heldBy: hold.why } : request;
  const run = newRun({
    rotationId,
    targetId: record.targetId,
    state: "queued",
    reason,
    requestedBy,
    requestedAt: at,
    ...describeStart(request, record, target, now),
    phases: [],
    ...pickGiven(request),
  });
  return { held, run };
}

/** Whether the open rotation will answer the waiting request. */
export function isJoined({ rotation, request }: TargetRecord): boolean {
  return rotation !== undefined && request?.rotationId === rotation.id;
}

/** Whether the waiting request makes the open rotation continue: that answers the request, or must end before. */
export function isHurried(record: TargetRecord): boolean {
  const { rotation, request } = record;
  return isJoined(record) || (rotation !== undefined && request?.hurries === rotation.id);
}

/**
 * The record whose open rotation continues at once for the request, also if it was blocked. A request that another rotation answers
 * stays in the queue.
 */
export function joinRequest(record: TargetRecord, now: Instant): TargetRecord {
  const { rotation, request } = record;
  if (!rotation || !request) return record;
  const continued = isJoined(record)
    ? {
        ...withoutJoined(record, rotation, request, now),
        rotation: joinedTo(rotation, request, record),
      }
    : { ...record, request: withoutHurry(request), rotation: withoutHold(rotation) };
  return rotation.phase === "blocked"
    ? {
        ...continued,
        health: "failing",
        rotation: { ...continued.rotation, ...reopenRotation(rotation, now) },
      }
    : continued;
}

function withoutHurry({ hurries: _, ...request }: QueuedRequest): RotationRequest {
  return request;
}

/**
 * The record without the request that joins the rotation. The secret of an import or an undo is not new, so a rotation of an exposed secret
 * still follows it.
 */
function withoutJoined(
  { rotation: _, request: _r, ...rest }: TargetRecord,
  { id, given }: Rotation,
  { reason, requestedBy, at, grace, ...others }: RotationRequest,
  now: Instant,
): TargetRecord {
  if (!given || reason !== "exposure") return rest;
  const why = `requested by ${requestedBy}; rotation ${id}, which it made continue, made no new secret`;
  const again: RetryIntent = {
    ...{ why: shorten(why, maxWhyLength), reason, requestedBy, requestedAt: at },
    ...(grace !== undefined && { grace }),
    ...pickGiven(others),
  };
  return { ...withDueAt(rest, now, again.why), again };
}

/** A rotation is blocked when no stored credential works. It continues by trying them on the target again. */
function reopenRotation(
  { phases }: Rotation,
  now: Instant,
): Pick<Rotation, "phase" | "phases" | "failures"> {
  const phase = "applying";
  return { phase, phases: withPhase(phases, { phase, startedAt: now }), failures: 0 };
}

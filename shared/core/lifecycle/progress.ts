import type { ErrorKind } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import { dueAt, withDue } from "../record/due.ts";
import {
  type Exposure,
  type Failure,
  type Grounds,
  mayHaveChanged,
  newRun,
  type Notification,
  type NotificationType,
  type Rotation,
  type RotationRequest,
  type RunRecord,
  type TargetRecord,
  unheld,
  withPhase,
  type WorkingPhase,
  workingPhases,
} from "../record/rotation.ts";
import { abandon, promote, slotOf, withSlot } from "../record/slots.ts";
import { longestWhy, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { type Instant, plus } from "../time.ts";
import { retirementOf } from "./retirement.ts";
import { isAway, publishingRetryDelay, retryDelay, urgentRetryDelay } from "./retry.ts";

/** Old notifications make room: a channel that is down for days must not stop a rotation. */
const outboxLimit = 20;

export function beginRotation(
  record: TargetRecord,
  account: string,
  request: RotationRequest,
  { why, policyFingerprint }: Grounds,
  now: Instant,
): TargetRecord {
  const rotation: Rotation = {
    id: request.rotationId,
    account,
    why,
    policyFingerprint,
    reason: request.reason,
    requestedBy: request.requestedBy,
    requestedAt: request.at,
    phase: "staging",
    startedAt: now,
    phases: [{ phase: "staging", startedAt: now }],
    furthest: "staging",
    changeBegan: false,
    failures: 0,
    ...(request.grace !== undefined && { grace: request.grace }),
    ...(request.lift && { lift: request.lift }),
  };
  const { request: _r, again: _a, ...rest } = record;
  return notify({ ...rest, rotation }, "rotation.started", now, rotationData(rotation));
}

/** The rotation in its next phase. Failures are forgotten once it gets further than ever before. */
export function advance(
  rotation: Rotation,
  phase: WorkingPhase,
  learnt: Partial<Rotation>,
  now: Instant,
): Rotation {
  const { confirmedAt, ...rest } = unheld(rotation);
  // What the target said about one pending secret says nothing about the next.
  const confirmed = confirmedAt !== undefined && learnt.pending === undefined && { confirmedAt };
  const phases = withPhase(closePhases(rotation, now), { phase, startedAt: now });
  const further = workingPhases.indexOf(phase) > workingPhases.indexOf(rotation.furthest);
  const progress = further ? { furthest: phase, failures: 0 } : {};
  return { ...rest, ...confirmed, ...learnt, ...progress, phase, phases };
}

/** The rotation back in a phase whose work does not hold any more. What was published cannot be relied on. */
export function goBack(rotation: Rotation, phase: WorkingPhase, now: Instant): Rotation {
  const { published: _, ...unpublished } = rotation;
  const lost = { changeBegan: false, ...(rotation.changeBegan && { outcomeInDoubt: true }) };
  const learnt = phase === "staging" ? lost : {};
  return advance(unpublished, phase, learnt, now);
}

function closePhases(rotation: Rotation, now: Instant): Rotation["phases"] {
  return rotation.phases.map((one) => (one.endedAt === undefined ? { ...one, endedAt: now } : one));
}

/** `retire`: whether the superseded secret of a pair can be made useless. */
export function succeed(
  record: TargetRecord,
  rotation: Rotation,
  target: Target,
  retire: boolean,
  now: Instant,
): TargetRecord {
  const answered = withoutAnswered(record, rotation);
  const {
    rotation: _r,
    retirement: _t,
    lastFailure: _f,
    refusedSince: _s,
    exposure,
    ...rest
  } = answered;
  const { published } = rotation;
  if (published === undefined) throw new RangeError(`rotation ${rotation.id} published nothing`);
  const superseded = record.active;
  const ends = retire && superseded !== undefined && superseded !== rotation.account;
  const done: TargetRecord = {
    ...rest,
    health: "healthy",
    slots: withSlot(record.slots, promote(slotOf(record, rotation.account), published, now)),
    active: rotation.account,
    published,
    lastSuccessAt: now,
    failures: 0,
    ...(rotation.leftUndone && { lastFailure: rotation.leftUndone }),
    ...(exposure && !isAnswered(exposure, rotation) && { exposure: { ...exposure, at: now } }),
    ...(ends && {
      retirement: retirementOf(superseded, record, rotation, published, target, now),
    }),
  };
  const data = {
    ...rotationData(rotation),
    secret: published.name,
    version: published.version,
    ...(rotation.leftUndone && { leftUndone: rotation.leftUndone.message }),
  };
  return notify(withDue(done, target, now), "rotation.succeeded", now, data);
}

/** Whether what was seen is superseded. What was seen after it became public is not, and counts from the change on. */
function isAnswered(exposure: Exposure, { published, phases }: Rotation): boolean {
  if (exposure.version !== undefined) return exposure.version !== published?.version;
  const publicAt = phases.find(({ phase }) => phase === "checking")?.startedAt;
  return publicAt === undefined || exposure.at <= publicAt;
}

export type AttemptOutcome = "retry" | "skip" | "failed" | "blocked";

/** What a failed step means. Once a change may have begun, only certainty ends a rotation. */
export function judge(rotation: Rotation, kind: ErrorKind, policy: Policy): AttemptOutcome {
  // The new secret is public and proven: nothing that goes wrong from here on may lose it.
  if (rotation.phase === "refreshing" || rotation.phase === "cleaning") {
    return rotation.failures + 1 < policy.retry.attempts ? "retry" : "skip";
  }
  if (kind === "no-live-credential") return "blocked";
  if (kind === "change-refused") return "failed";
  if (mayHaveChanged(rotation)) return "retry";
  if (kind === "config") return "failed";
  return rotation.failures + 1 < policy.retry.attempts ? "retry" : "failed";
}

/**
 * Whether consumers may be refused until the rotation gets on: what they read is known to be refused, may have lost its password,
 * or may be a version that the target has not accepted yet. Where nothing is known of an active account, they may.
 */
export function isUrgent({ active, refusedSince }: TargetRecord, rotation: Rotation): boolean {
  if (refusedSince !== undefined) return true;
  if (!mayHaveChanged(rotation)) return false;
  const isPublishing = rotation.phase === "publishing" || rotation.phase === "checking";
  return isPublishing || active === undefined || active === rotation.account;
}

/** The rotation with one more failure held against it. `urgent`: consumers may be refused until it gets on. */
export function retryLater(
  rotation: Rotation,
  failure: Failure,
  policy: Policy,
  urgent = false,
): Rotation & { readonly nextAttemptAt: Instant } {
  const failures = rotation.failures + 1;
  const isHalfWay = rotation.phase === "publishing" || rotation.phase === "checking";
  const delay =
    isHalfWay && failure.kind === "vault-unavailable"
      ? publishingRetryDelay(failures, rotation.id)
      : urgent
        ? urgentRetryDelay(policy.retry, failures, rotation.id, isAway(failure))
        : retryDelay(policy.retry, failures, rotation.id);
  return {
    ...unheld(rotation),
    failures,
    nextAttemptAt: plus(failure.at, delay),
    ...(failure.kind === "outcome-unknown" && { outcomeInDoubt: true }),
  };
}

/** The record while its rotation waits for the next try. That it has come to a stop is told once. */
export function stallRotation(
  record: TargetRecord,
  rotation: Rotation,
  failure: Failure,
  policy: Policy,
): TargetRecord {
  const waiting: TargetRecord = { ...record, health: "failing", rotation, lastFailure: failure };
  return rotation.failures === policy.retry.attempts
    ? notify(waiting, "rotation.stalled", failure.at, failureData(rotation, failure))
    : waiting;
}

export function failRotation(
  record: TargetRecord,
  rotation: Rotation,
  failure: Failure,
  policy: Policy,
): TargetRecord {
  const { rotation: _, ...rest } = withoutAnswered(record, rotation);
  const failures = record.failures + 1;
  const at = plus(failure.at, delayAfterFailure(record, rotation, failure, policy));
  const inDoubt = rotation.outcomeInDoubt === true || rotation.confirmedAt !== undefined;
  const why = `another try after rotation ${rotation.id} failed`;
  const failed: TargetRecord = {
    ...dueAt(rest, at, why),
    health: "failing",
    failures,
    lastFailure: failure,
    again: {
      why,
      reason: rotation.reason,
      requestedBy: rotation.requestedBy,
      ...(rotation.grace !== undefined && { grace: rotation.grace }),
      ...(rotation.lift && { lift: rotation.lift }),
    },
    ...(inDoubt &&
      rotation.pending && {
        slots: withSlot(record.slots, abandon(slotOf(record, rotation.account), rotation.pending)),
      }),
  };
  return notify(failed, "rotation.failed", failure.at, failureData(rotation, failure));
}

/** Milliseconds. Tries used up within the rotation count: the next rotation is then the long distance away. */
function delayAfterFailure(
  record: TargetRecord,
  rotation: Rotation,
  { kind }: Failure,
  { retry }: Policy,
): number {
  const failures = record.failures + 1;
  if (isUrgent(record, rotation)) return urgentRetryDelay(retry, failures, rotation.id, false);
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
    rotation: { ...unheld(rotation), phase: "blocked", phases: closePhases(rotation, failure.at) },
    lastFailure: failure,
  };
  // A rotation may be blocked more than once; each time is news.
  const about = `${rotation.id}/${failure.at}`;
  return notify(blocked, "rotation.blocked", failure.at, failureData(rotation, failure), about);
}

/** The history row of a rotation that is, or has just been, open; `record` as it is then. */
export function runOf(
  rotation: Rotation,
  { targetId, nextDue, dueReason }: TargetRecord,
  state: RunRecord["state"],
  now: Instant,
  failure: Failure | undefined = rotation.leftUndone,
): RunRecord {
  const ended = state === "done" || state === "failed";
  return newRun({
    rotationId: rotation.id,
    targetId,
    state,
    reason: rotation.reason,
    requestedBy: rotation.requestedBy,
    requestedAt: rotation.requestedAt,
    why: rotation.why,
    policyFingerprint: rotation.policyFingerprint,
    account: rotation.account,
    startedAt: rotation.startedAt,
    ...(ended && { endedAt: now }),
    ...(ended && nextDue !== undefined && { nextDue }),
    ...(ended && dueReason !== undefined && { dueReason }),
    phases: ended ? closePhases(rotation, now) : rotation.phases,
    ...(rotation.published && { published: rotation.published }),
    ...(failure && { failure }),
    ...(rotation.lift && { lift: rotation.lift }),
  });
}

/** The id depends on what happened only: a repeat after a crash says the same thing again. */
export function notify(
  record: TargetRecord,
  type: NotificationType,
  at: Instant,
  data: Notification["data"] & { readonly rotationId?: string; readonly version?: string },
  about: string = data.rotationId ?? data.version ?? at,
): TargetRecord {
  const notification = {
    id: `${record.targetId}/${about}/${type}`,
    type,
    targetId: record.targetId,
    at,
    data: brief(data),
  };
  // Said anew, what waits already must not push out what else waits.
  const others = record.outbox.filter(({ id }) => id !== notification.id);
  return { ...record, outbox: [...others, notification].slice(-outboxLimit) };
}

function brief(data: Notification["data"]): Notification["data"] {
  const fields = Object.entries(data).map(([name, value]) => [
    name,
    typeof value === "string" ? shorten(value, longestWhy) : value,
  ]);
  return Object.fromEntries(fields) as Notification["data"];
}

/**
 * The record once what is published has logged in: nothing is known against it any more. A failure that nobody is going to try
 * again was about it.
 */
export function withPublishedProven(record: TargetRecord): TargetRecord {
  const { refusedSince, lastFailure, ...rest } = record;
  const isOver = record.health === "failing" && !record.rotation && !record.again;
  if (isOver) return { ...rest, health: "healthy" };
  if (refusedSince === undefined) return record;
  return { ...rest, ...(lastFailure && { lastFailure }) };
}

/** A request that this rotation was to answer is answered by its end, whichever it is. */
function withoutAnswered(record: TargetRecord, rotation: Rotation): TargetRecord {
  const { request, ...rest } = record;
  return request?.rotationId === rotation.id ? rest : record;
}

function rotationData(rotation: Rotation): Record<string, string> & { rotationId: string } {
  return { rotationId: rotation.id, account: rotation.account, reason: rotation.reason };
}

function failureData(
  rotation: Rotation,
  failure: Failure,
): Record<string, string> & { rotationId: string } {
  return { ...rotationData(rotation), kind: failure.kind, message: failure.message };
}

import { ConfigError } from "../errors.ts";
import { fingerprintPolicy } from "../policy/policy.ts";
import { withExposedSecret } from "../record/exposed-versions.ts";
import type { RunRecord } from "../record/history.ts";
import { describeJustification, type Origin } from "../record/justification.ts";
import { findLaterForce, notBeforePause } from "../record/pause.ts";
import type { DatedRequest, Rotation, RotationRequest, TargetRecord } from "../record/record.ts";
import { newRun, pickGiven } from "../record/rotation.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { between, day, type Instant } from "../time.ts";
import { findShortest, stricter } from "./combine.ts";
import { describeRequester } from "./permit.ts";
import { type AcceptedRequest, shortenRequest } from "./request.ts";

/** Limits the size of the record. */
const maxDated = 5;

const maxAheadDays = 400;

/**
 * Schedules a rotation for a date. Only a rotation that starts at or after that date answers the request: a secret from before could
 * be known to the person because of whom it was made. Throws ConfigError.
 */
export function acceptDated(
  record: TargetRecord,
  asked: DatedRequest,
  target: Target,
  now: Instant,
): AcceptedRequest {
  const { dated = [] } = record;
  if (between(now, asked.notBefore) > maxAheadDays * day) {
    throw new ConfigError(`\`notBefore\` must be at most ${maxAheadDays} days ahead`);
  }
  if (dated.length >= maxDated) {
    throw new ConfigError(
      `target ${target.id} already has ${maxDated} rotations that are scheduled for a date, the next one for ${dated[0]?.notBefore ?? ""}`,
    );
  }
  const request = shortenRequest(asked);
  return {
    rotationId: request.rotationId,
    record: { ...record, dated: sortDated([...dated, request]) },
    run: queuedRun(record, request, target),
  };
}

export function sortDated(dated: readonly DatedRequest[]): readonly DatedRequest[] {
  return dated.toSorted((a, b) => (a.notBefore < b.notBefore ? -1 : 1));
}

function queuedRun(record: TargetRecord, request: DatedRequest, { policy }: Target): RunRecord {
  return newRun({
    rotationId: request.rotationId,
    targetId: record.targetId,
    state: "queued",
    reason: request.reason,
    requestedBy: request.requestedBy,
    requestedAt: request.at,
    why: shorten(`${describeRequester(request)}; scheduled for ${request.notBefore}`, maxWhyLength),
    policyFingerprint: fingerprintPolicy(policy),
    phases: [],
    ...pickGiven(request),
  });
}

/**
 * The record in which the scheduled rotation whose date has come is a request like any other. If a request waits already, it gets what
 * starts the scheduled rotation sooner, and its rotation answers both.
 */
export function withDateReached(record: TargetRecord, now: Instant): TargetRecord {
  const found = findDated(record);
  if (!found || found.at > now) return record;
  const { request } = record;
  const { notBefore: _, ...asked } = found.asked;
  const exposed = withExposedSecret(record, asked);
  if (request) return { ...exposed, request: stricter(request, asked, record) };
  return { ...withoutDated(exposed, (one) => one !== found.asked), request: asked };
}

/** A scheduled rotation, and when it may start. */
interface DatedStart {
  readonly asked: DatedRequest;
  readonly at: Instant;
}

/** The scheduled rotation that may start first; undefined if another request starts before it anyway. */
export function findDated(record: TargetRecord): DatedStart | undefined {
  const { request, dated = [] } = record;
  return dated
    .filter((one) => request === undefined || isHurriedBy(request, one))
    .map((asked) => ({ asked, at: findStart(record, asked) }))
    .reduce<DatedStart | undefined>(
      (first, one) => (first === undefined || one.at < first.at ? one : first),
      undefined,
    );
}

/** Its date, or the end of a later pause. A waiting request starts with the force of both. */
function findStart(record: TargetRecord, { notBefore, force }: DatedRequest): Instant {
  return notBeforePause(notBefore, record, findLaterForce(record.request?.force, force));
}

/** Whether the waiting request starts sooner, or ends the old secret sooner, with what people gave for the scheduled one. */
function isHurriedBy(
  request: RotationRequest,
  { lift, force, reason, grace }: DatedRequest,
): boolean {
  const isLifted = lift !== undefined && request.lift === undefined;
  const isForced = findLaterForce(request.force, force) !== request.force;
  const isShorter = findShortest(request.grace, grace) !== request.grace;
  const isExposure = reason === "exposure" && request.reason !== "exposure";
  return isLifted || isForced || isShorter || isExposure;
}

function withoutDated(
  record: TargetRecord,
  isKept: (dated: DatedRequest) => boolean,
): TargetRecord {
  const { dated = [], ...rest } = record;
  const kept = dated.filter(isKept);
  return kept.length === 0 ? rest : { ...rest, dated: kept };
}

/** Who cancels a scheduled rotation, and when. */
export interface Cancelling {
  readonly rotationId: string;
  readonly origin: Origin;
  readonly now: Instant;
}

/** A scheduled rotation that a person has cancelled. */
export interface CancelledDated {
  readonly record: TargetRecord;
  readonly cancelled: DatedRequest;
  /** The end of its history. */
  readonly run: RunRecord;
}

/** Cancels a rotation that waits for its date. Undefined when none with this id does. */
export function cancelDated(
  record: TargetRecord,
  { rotationId, origin, now }: Cancelling,
  target: Target,
): CancelledDated | undefined {
  const cancelled = record.dated?.find((one) => one.rotationId === rotationId);
  if (!cancelled) return undefined;
  const queued = queuedRun(record, cancelled, target);
  const why = `cancelled by ${origin.by}${describeJustification(origin)}; ${queued.why}`;
  return {
    record: withoutDated(record, (one) => one !== cancelled),
    cancelled,
    run: { ...queued, state: "cancelled", why: shorten(why, maxWhyLength), endedAt: now },
  };
}

/** Why a rotation cannot be cancelled: what it is now, for the caller who wanted to cancel it. No final period. */
export function describeNotCancellable({
  rotationId,
  state,
  endedAt,
}: Pick<RunRecord, "rotationId" | "state" | "endedAt">): string {
  const is = {
    queued: "is queued and starts as soon as it may. To delay it, pause the target",
    running: "is under way",
    blocked: "is blocked",
    done: `ended successfully at ${endedAt ?? "an unknown time"}`,
    failed: `failed at ${endedAt ?? "an unknown time"}`,
    cancelled: `was cancelled at ${endedAt ?? "an unknown time"}`,
  }[state];
  return `rotation ${rotationId} ${is}. Only a rotation that waits for its date can be cancelled`;
}

/** Whether the rotation gave the target a new secret at or after the date. */
function isAnswered({ notBefore }: DatedRequest, { given, startedAt }: Rotation): boolean {
  return given === undefined && notBefore <= startedAt;
}

/** The record without the scheduled rotations that this one answers. */
export function withoutAnsweredDated(record: TargetRecord, rotation: Rotation): TargetRecord {
  if (record.dated === undefined) return record;
  return withoutDated(record, (one) => !isAnswered(one, rotation));
}

/** The history rows of the scheduled rotations that this one answers. */
export function toAnsweredRuns(
  record: TargetRecord,
  rotation: Rotation,
  target: Target,
  now: Instant,
): RunRecord[] {
  const { id, account, startedAt, published } = rotation;
  const answered = (record.dated ?? []).filter((one) => isAnswered(one, rotation));
  return answered.map((one) => ({
    ...queuedRun(record, one, target),
    state: "done",
    why: `Rotation ${id} started after ${one.notBefore} and answers this request`,
    ...{ account, startedAt, endedAt: now },
    ...(published && { published }),
  }));
}

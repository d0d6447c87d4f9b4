import { ConfigError } from "../errors.ts";
import { fingerprintPolicy } from "../policy/policy.ts";
import type { RunRecord } from "../record/history.ts";
import { findLaterForce } from "../record/pause.ts";
import type { DatedRequest, Rotation, TargetRecord } from "../record/record.ts";
import { newRun, pickGiven } from "../record/rotation.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { between, day, type Instant } from "../time.ts";
import { describeRequester } from "./permit.ts";
import { type AcceptedRequest, shortenRequest, stricter } from "./request.ts";

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
 * The record whose first scheduled rotation is a request like any other, because its date has come. If a request waits already, it gets
 * what starts the first scheduled rotation that can start sooner, and its rotation answers both.
 */
export function withDateReached(record: TargetRecord, now: Instant): TargetRecord {
  const due = findDated(record);
  if (!due || due.notBefore > now) return record;
  const { request } = record;
  const { notBefore: _, ...asked } = due;
  return request
    ? { ...record, request: stricter(request, asked, record) }
    : { ...withoutDated(record, (one) => one !== due), request: asked };
}

/** When the next scheduled rotation may start; undefined if another request starts before it anyway. */
export function findDated(record: TargetRecord): DatedRequest | undefined {
  return record.dated?.find((one) => record.request === undefined || isHurriedBy(record, one));
}

/** Whether the waiting request starts sooner with what people gave for the scheduled one. */
function isHurriedBy({ request }: TargetRecord, { lift, force, reason }: DatedRequest): boolean {
  if (!request) return false;
  const isLifted = lift !== undefined && request.lift === undefined;
  const isForced = findLaterForce(request.force, force) !== request.force;
  return isLifted || isForced || (reason === "exposure" && request.reason !== "exposure");
}

function withoutDated(
  record: TargetRecord,
  isKept: (dated: DatedRequest) => boolean,
): TargetRecord {
  const { dated = [], ...rest } = record;
  const kept = dated.filter(isKept);
  return kept.length === 0 ? rest : { ...rest, dated: kept };
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

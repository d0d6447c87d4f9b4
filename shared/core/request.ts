import type { RotationRequest, RunRecord, TargetRecord } from "./rotation.ts";
import type { Instant } from "./time.ts";

export interface AcceptedRequest {
  /** The rotation that will satisfy the request: an open one whose secret is not public yet, or a new one. */
  readonly rotationId: string;
  readonly record: TargetRecord;
  /** The history row of a rotation that was not known before. */
  readonly run?: RunRecord;
}

/**
 * A request is satisfied by any rotation whose new secret becomes public after the request was made. So it joins an
 * open rotation that has not published yet, or another request that waits; otherwise it waits for its own.
 */
export function acceptRequest(
  record: TargetRecord,
  request: RotationRequest,
  now: Instant,
): AcceptedRequest {
  const { rotation } = record;
  if (rotation && rotation.published === undefined) {
    const { nextAttemptAt: _, ...rest } = rotation;
    const phase = rotation.phase === "blocked" ? "applying" : rotation.phase;
    const grace = request.grace ?? rotation.grace;
    const hurried = { ...rest, phase, ...(grace !== undefined && { grace }) };
    return { rotationId: rotation.id, record: { ...record, rotation: hurried } };
  }
  if (record.request) {
    const grace = request.grace ?? record.request.grace;
    const joined = { ...record.request, ...(grace !== undefined && { grace }) };
    return { rotationId: record.request.rotationId, record: { ...record, request: joined } };
  }
  return {
    rotationId: request.rotationId,
    record: { ...record, request },
    run: queued(record, request, now),
  };
}

function queued(record: TargetRecord, request: RotationRequest, now: Instant): RunRecord {
  return {
    schema: 1,
    rotationId: request.rotationId,
    targetId: record.targetId,
    state: "queued",
    reason: request.reason,
    requestedBy: request.requestedBy,
    requestedAt: now,
    phases: [],
  };
}

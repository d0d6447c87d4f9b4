import {
  type Grounds,
  newRun,
  type Rotation,
  type RotationRequest,
  type RunRecord,
  schedule,
  type TargetRecord,
  unheld,
  withPhase,
} from "./rotation.ts";
import { longestName, longestWhy, shorten } from "./shorten.ts";
import type { Instant } from "./time.ts";

export interface AcceptedRequest {
  /** The rotation that will answer the request: an open one whose secret is not public yet, or a new one. */
  readonly rotationId: string;
  readonly record: TargetRecord;
  /** The history row of a rotation that was not known before. */
  readonly run?: RunRecord;
}

/**
 * A request is answered by any rotation whose new secret becomes public after the request was made. So it joins an
 * open rotation that has not published yet, or another request that waits; otherwise it waits for its own.
 *
 * Only `request` is written, whatever the state of the target: a worker that holds the claim at the moment can take
 * over this one field without losing anything (see `joinRequest`).
 */
export function acceptRequest(
  record: TargetRecord,
  asked: RotationRequest,
  grounds: Grounds,
  now: Instant,
): AcceptedRequest {
  const { rotation } = record;
  const request = { ...asked, requestedBy: shorten(asked.requestedBy, longestName) };
  const isOpen = rotation && rotation.published === undefined;
  // A request that the open rotation has answered already is none to join: its secret is public.
  const waiting = !isOpen && isJoined(record) ? undefined : record.request;
  const rotationId = waiting?.rotationId ?? (isOpen ? rotation.id : request.rotationId);
  const joined = waiting ? stricter(waiting, request) : request;
  const accepted = { ...record, request: { ...joined, rotationId } };
  return rotationId === request.rotationId
    ? { rotationId, record: accepted, run: queued(record, request, grounds, now) }
    : { rotationId, record: accepted };
}

/** Of two requests for the same rotation: an exposure outweighs a wish, and the shorter grace counts. */
function stricter(waiting: RotationRequest, added: RotationRequest): RotationRequest {
  const { notBefore: _n, heldBy: _h, ...rest } = waiting;
  const grace = shorter(waiting.grace, added.grace);
  return { ...rest, ...exposureOf(added), ...(grace !== undefined && { grace }) };
}

/** Nobody may lengthen the life of a secret that somebody else wants dead. */
export function shorter(...graces: readonly (number | undefined)[]): number | undefined {
  const given = graces.filter((grace) => grace !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** An exposure says why, and on whose word, the rotation happens, whoever wanted it first. */
function exposureOf({ reason, requestedBy }: RotationRequest) {
  return reason === "exposure" ? { reason, requestedBy } : {};
}

export function isSameRequest(
  a: RotationRequest | undefined,
  b: RotationRequest | undefined,
): boolean {
  const fields = [
    "rotationId",
    "reason",
    "requestedBy",
    "at",
    "notBefore",
    "heldBy",
    "grace",
  ] as const;
  return fields.every((field) => a?.[field] === b?.[field]);
}

/** Whether the request that waits is to be answered by the rotation that is open. */
export function isJoined({ rotation, request }: TargetRecord): boolean {
  return rotation !== undefined && request?.rotationId === rotation.id;
}

/** The record with its open rotation hurried on, or freed when it was blocked, as the request wants it. */
export function joinRequest(record: TargetRecord, now: Instant): TargetRecord {
  const { rotation, request, ...rest } = record;
  if (!rotation || !request) return record;
  const wasBlocked = rotation.phase === "blocked";
  // Until it has changed something, hours hold up what the schedule wants, and not what a person wants.
  const takesOver = !rotation.changeBegan && rotation.requestedBy === schedule;
  const grace = shorter(rotation.grace, request.grace);
  const answered: Rotation = {
    ...unheld(rotation),
    ...(wasBlocked && reopened(rotation, now)),
    ...(takesOver && takenOver(rotation, request)),
    ...exposureOf(request),
    ...(grace !== undefined && { grace }),
  };
  return { ...rest, ...(wasBlocked && { health: "failing" }), rotation: answered };
}

function takenOver({ why }: Rotation, { reason, requestedBy }: RotationRequest) {
  const both = `${shorten(why, longestWhy / 2)}; then ${requestedBy} asked for it (${reason})`;
  return { reason, requestedBy, why: shorten(both, longestWhy) };
}

/** Blocked means that no stored credential worked: it goes on by asking the target again. */
function reopened(
  { phases }: Rotation,
  now: Instant,
): Pick<Rotation, "phase" | "phases" | "failures"> {
  const phase = "applying";
  return { phase, phases: withPhase(phases, { phase, startedAt: now }), failures: 0 };
}

function queued(
  record: TargetRecord,
  request: RotationRequest,
  { why, policyFingerprint }: Grounds,
  now: Instant,
): RunRecord {
  return newRun({
    rotationId: request.rotationId,
    targetId: record.targetId,
    state: "queued",
    reason: request.reason,
    requestedBy: request.requestedBy,
    requestedAt: now,
    why,
    policyFingerprint,
    phases: [],
  });
}

import {
  newRun,
  type Rotation,
  type RotationRequest,
  type RunRecord,
  schedule,
  type TargetRecord,
  withoutHold,
  withPhase,
  type WorkingPhase,
} from "../record/rotation.ts";
import { longestName, longestWhy, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import { type Asked, askedBy, describeStart, findFreeze, findHold } from "./permit.ts";

export interface AcceptedRequest {
  /** The rotation that will answer the request: an open one whose secret is not public yet, or a new one. */
  readonly rotationId: string;
  /** The very same record when the request adds nothing to what is durable already. */
  readonly record: TargetRecord;
  /** The history row of a rotation that is queued from now on, or queued for another reason than before. */
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
  target: Target,
  now: Instant,
): AcceptedRequest {
  const { rotation } = record;
  const request = brief(asked);
  const open = rotation && mayAnswer(rotation) ? rotation : undefined;
  // A request that the open rotation has answered already is none to join: its secret is public.
  const waiting = !open && isJoined(record) ? undefined : record.request;
  if (waiting) return joinWaiting(record, waiting, stricter(waiting, request), { target, now });
  if (open) return joinOpen(record, open, { ...request, rotationId: open.id }, { target, now });
  return queue(record, request, { target, now });
}

/**
 * A phase is named for what may already have happened: from `publishing` on the secret may be public, and whoever asks now may have
 * seen it.
 */
function mayAnswer({ phase, published }: Rotation): boolean {
  return published === undefined && (phase === "blocked" || !publicPhases.includes(phase));
}

const publicPhases: readonly WorkingPhase[] = ["publishing", "checking", "refreshing", "cleaning"];

/** Names and reasons may come from anywhere, in any length. */
function brief(request: RotationRequest): RotationRequest {
  const { requestedBy, why, lift } = request;
  return {
    ...request,
    requestedBy: shorten(requestedBy, longestName),
    ...(why !== undefined && { why: shorten(why, longestWhy) }),
    ...(lift && {
      lift: { ...lift, by: shorten(lift.by, longestName), why: shorten(lift.why, longestWhy) },
    }),
  };
}

interface Accepting {
  readonly target: Target;
  readonly now: Instant;
}

function joinWaiting(
  record: TargetRecord,
  waiting: RotationRequest,
  joined: RotationRequest,
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
  const joined = joinedTo(open, request);
  const isHurried =
    open.nextAttemptAt !== undefined &&
    open.nextAttemptAt > now &&
    findHold(record, joined, target.policy, now)?.until !== open.nextAttemptAt;
  const isNews = open.phase === "blocked" || isHurried || !isWantedAlike(joined, open);
  return { rotationId, record: isNews ? { ...record, request } : record };
}

/** The request waits for a rotation of its own; the record and the history say until when and why. */
function queue(
  record: TargetRecord,
  request: RotationRequest,
  { target, now }: Accepting,
): AcceptedRequest {
  const { rotationId, reason, requestedBy, at, lift } = request;
  const hold = findFreeze(request, record, target.policy, now);
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
    ...(lift && { lift }),
  });
  return { rotationId, record: { ...record, request: held }, run };
}

/**
 * Of two requests for the same rotation: an exposure outweighs a wish, the shorter grace counts, and a freeze that one
 * of them lifts is lifted. What held back the milder one says nothing about the stricter one.
 */
function stricter(waiting: RotationRequest, added: RotationRequest): RotationRequest {
  const { reason, requestedBy } = added;
  const { notBefore: _n, heldBy: _h, ...free } = waiting;
  const grace = shorter(waiting.grace, added.grace);
  const isExposed = isEscalated(waiting, added);
  const lift = waiting.lift ?? added.lift;
  const isStricter = isExposed || lift !== waiting.lift;
  return {
    ...(isStricter ? free : waiting),
    ...(isExposed && { reason, requestedBy }),
    ...(isStricter && {
      why: addWord(askedBy(waiting), `; then by ${requestedBy} (reason: ${reason})`),
    }),
    ...(grace !== undefined && { grace }),
    ...(lift && { lift }),
  };
}

/** Nobody may lengthen the life of a secret that somebody else wants dead. */
export function shorter(...graces: readonly (number | undefined)[]): number | undefined {
  const given = graces.filter((grace) => grace !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** The first exposure says why, and on whose word, the rotation happens, whoever wanted it before. */
function isEscalated(wanted: Pick<Asked, "reason">, added: Pick<Asked, "reason">): boolean {
  return added.reason === "exposure" && wanted.reason !== "exposure";
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
    "why",
  ] as const;
  return fields.every((field) => a?.[field] === b?.[field]) && isSameLift(a?.lift, b?.lift);
}

function isSameLift(a: RotationRequest["lift"], b: RotationRequest["lift"]): boolean {
  return a?.at === b?.at && a?.by === b?.by && a?.why === b?.why;
}

/** Whether the request that waits is to be answered by the rotation that is open. */
export function isJoined({ rotation, request }: TargetRecord): boolean {
  return rotation !== undefined && request?.rotationId === rotation.id;
}

/** The record with its open rotation hurried on, or freed when it was blocked, as the request wants it. */
export function joinRequest(record: TargetRecord, now: Instant): TargetRecord {
  const { rotation, request, ...rest } = record;
  if (!rotation || !request) return record;
  const joined = joinedTo(rotation, request);
  return rotation.phase === "blocked"
    ? { ...rest, health: "failing", rotation: { ...joined, ...reopenRotation(rotation, now) } }
    : { ...rest, rotation: joined };
}

/** The rotation with nothing to wait for, on the word of those who want it now. */
function joinedTo(rotation: Rotation, request: RotationRequest): Rotation {
  // Until it has changed something, hours hold up what the schedule wants, and not what a person wants.
  const takesOver = !rotation.changeBegan && rotation.requestedBy === schedule;
  const grace = shorter(rotation.grace, request.grace);
  const lift = rotation.lift ?? request.lift;
  const onTheWordOf =
    takesOver || isEscalated(rotation, request) ? combineReasons(rotation, request) : {};
  const wanted = { ...onTheWordOf, ...(lift && { lift }) };
  const joined = { ...withoutHold(rotation), ...wanted, ...(grace !== undefined && { grace }) };
  if (isSameLift(lift, rotation.lift) && Object.keys(onTheWordOf).length === 0) return joined;
  return { ...joined, why: addWord(rotation.why, `; then ${askedBy(request).replace(/^R/, "r")}`) };
}

/** Both reasons, however often one is added. */
function addWord(why: string, added: string): string {
  return shorten(`${shorten(why, longestWhy / 2)}${added}`, longestWhy);
}

/** An exposure stays one, whoever takes the rotation over. */
function combineReasons(
  rotation: Rotation,
  { reason, requestedBy }: RotationRequest,
): Partial<Rotation> {
  return rotation.reason === "exposure" ? { requestedBy } : { reason, requestedBy };
}

function isWantedAlike(a: Rotation, b: Rotation): boolean {
  const fields = ["reason", "requestedBy", "grace"] as const;
  return fields.every((field) => a[field] === b[field]) && isSameLift(a.lift, b.lift);
}

/** Blocked means that no stored credential worked: it goes on by asking the target again. */
function reopenRotation(
  { phases }: Rotation,
  now: Instant,
): Pick<Rotation, "phase" | "phases" | "failures"> {
  const phase = "applying";
  return { phase, phases: withPhase(phases, { phase, startedAt: now }), failures: 0 };
}

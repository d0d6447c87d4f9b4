import { withDueAt } from "../record/due.ts";
import { type RunRecord } from "../record/history.ts";
import {
  isSameJustification,
  type Justification,
  mapJustification,
} from "../record/justification.ts";
import { findLaterForce } from "../record/pause.ts";
import {
  type RetryIntent,
  type Rotation,
  type RotationRequest,
  schedule,
  type TargetRecord,
  type WorkingPhase,
} from "../record/record.ts";
import { newRun, pickGiven, withoutHold, withPhase } from "../record/rotation.ts";
import { maxNameLength, maxWhyLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import { laterRequest } from "./grace-hold.ts";
import { findHold } from "./hold.ts";
import {
  type Asked,
  describeAsker,
  describeRequester,
  describeStart,
  findHoldOfRequest,
} from "./permit.ts";

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
 * not published yet, or another waiting request. Otherwise it waits for a rotation of its own.
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
  const open = rotation && mayAnswer(rotation) ? rotation : undefined;
  // The open rotation has already answered the waiting request: its secret is public, so a new request cannot join.
  const waiting = !open && isJoined(record) ? undefined : record.request;
  if (waiting)
    return joinWaiting(record, waiting, stricter(waiting, request, record), { target, now });
  if (open) return joinOpen(record, open, { ...request, rotationId: open.id }, { target, now });
  return queue(record, request, { target, now });
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
  const joined = joinedTo(open, request, record);
  const isHurried =
    open.nextAttemptAt !== undefined &&
    open.nextAttemptAt > now &&
    findHold(record, joined, target, now)?.until !== open.nextAttemptAt;
  const isNews = open.phase === "blocked" || isHurried || !isWantedAlike(joined, open);
  return { rotationId, record: isNews ? { ...record, request } : record };
}

/** Queues a rotation for the request. The record and the history say until when it waits, and why. */
function queue(
  record: TargetRecord,
  request: RotationRequest,
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

/**
 * Combines two requests for the same rotation. An exposure outranks other reasons, the shorter grace period counts, and a freeze
 * that one request lifts is lifted. The hold of the weaker request does not apply to the stronger one.
 */
export function stricter(
  waiting: RotationRequest,
  added: RotationRequest,
  record: TargetRecord,
): RotationRequest {
  const at = laterRequest(waiting.at, added, record);
  const { reason, requestedBy } = added;
  const { notBefore: _n, heldBy: _h, ...free } = waiting;
  const grace = findShortest(waiting.grace, added.grace);
  const isExposed = isEscalated(waiting, added);
  const lift = waiting.lift ?? added.lift;
  const force = findLaterForce(waiting.force, added.force);
  const justification = chooseJustification(waiting, added);
  const isStricter =
    isExposed || lift !== waiting.lift || force !== waiting.force || at !== waiting.at;
  // The words of the second person must not look like those of the first.
  const isNews = isStricter || !isSameJustification(justification, waiting.justification);
  return {
    ...(isStricter ? free : waiting),
    at,
    ...(isExposed && { reason, requestedBy }),
    ...(isNews && {
      why: addWord(describeRequester(waiting), `; then by ${describeAsker(added)}`),
    }),
    ...(grace !== undefined && { grace }),
    ...pickGiven({ lift, force, justification }),
  };
}

/** Of the person whose request gives the rotation its cause, or of the other one if that person gave none. */
function chooseJustification(
  wanted: Pick<Asked, "reason" | "justification">,
  added: Pick<Asked, "reason" | "justification">,
): Justification | undefined {
  return isEscalated(wanted, added)
    ? (added.justification ?? wanted.justification)
    : (wanted.justification ?? added.justification);
}

/** The shortest grace period counts, so that no request lengthens the life of a secret that another request wants disabled. */
export function findShortest(...graces: readonly (number | undefined)[]): number | undefined {
  const given = graces.filter((grace) => grace !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** The first exposure gives the rotation its reason and its requester, even if another person requested it before. */
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
  return fields.every((field) => a?.[field] === b?.[field]) && isSameGiven(a, b);
}

type Given = Pick<RotationRequest, "lift" | "force" | "justification"> | undefined;

/** Whether people gave the same for both: liftings of freezes and pauses, and a justification. */
function isSameGiven(a: Given, b: Given): boolean {
  return (
    isSameLift(a?.lift, b?.lift) &&
    isSameLift(a?.force, b?.force) &&
    isSameJustification(a?.justification, b?.justification)
  );
}

function isSameLift(a: RotationRequest["lift"], b: RotationRequest["lift"]): boolean {
  return a?.at === b?.at && a?.by === b?.by && a?.why === b?.why;
}

/** Whether the open rotation will answer the waiting request. */
export function isJoined({ rotation, request }: TargetRecord): boolean {
  return rotation !== undefined && request?.rotationId === rotation.id;
}

/** The record whose open rotation continues at once for the request, also if it was blocked. */
export function joinRequest(record: TargetRecord, now: Instant): TargetRecord {
  const { rotation, request } = record;
  if (!rotation || !request) return record;
  const rest = withoutJoined(record, rotation, request, now);
  // An import or an undo keeps its own reason.
  const asked = rotation.given ? { ...request, reason: rotation.reason } : request;
  const joined = joinedTo(rotation, asked, record);
  return rotation.phase === "blocked"
    ? { ...rest, health: "failing", rotation: { ...joined, ...reopenRotation(rotation, now) } }
    : { ...rest, rotation: joined };
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

/** The rotation without a hold, with the combined reasons of those who requested it. */
function joinedTo(
  rotation: Rotation,
  request: RotationRequest,
  record: Pick<TargetRecord, "superseded">,
): Rotation {
  // Until a rotation has changed the target, windows delay it if the schedule wants it, but not if a person does.
  const takesOver = !rotation.changeBegan && rotation.requestedBy === schedule;
  const grace = findShortest(rotation.grace, request.grace);
  const lift = rotation.lift ?? request.lift;
  const force = findLaterForce(rotation.force, request.force);
  const onTheWordOf =
    takesOver || isEscalated(rotation, request) ? combineReasons(rotation, request) : {};
  const requestedAt = laterRequest(rotation.requestedAt, request, record);
  const justification = takesOver ? request.justification : chooseJustification(rotation, request);
  const given = pickGiven({ lift, force, justification });
  const wanted = { ...onTheWordOf, requestedAt, ...given };
  const joined = { ...withoutHold(rotation), ...wanted, ...(grace !== undefined && { grace }) };
  if (isSameGiven(given, rotation) && Object.keys(onTheWordOf).length === 0) return joined;
  return {
    ...joined,
    why: addWord(rotation.why, `; then ${describeRequester(request).replace(/^R/, "r")}`),
  };
}

/** Both reasons, shortened so that the added one stays visible. */
function addWord(why: string, added: string): string {
  return shorten(`${shorten(why, maxWhyLength / 2)}${added}`, maxWhyLength);
}

/** An exposure stays the reason, even if another person requests the rotation later. */
function combineReasons(
  rotation: Rotation,
  { reason, requestedBy }: RotationRequest,
): Partial<Rotation> {
  return rotation.reason === "exposure" ? { requestedBy } : { reason, requestedBy };
}

function isWantedAlike(a: Rotation, b: Rotation): boolean {
  const fields = ["reason", "requestedBy", "requestedAt", "grace"] as const;
  return fields.every((field) => a[field] === b[field]) && isSameGiven(a, b);
}

/** A rotation is blocked when no stored credential works. It continues by trying them on the target again. */
function reopenRotation(
  { phases }: Rotation,
  now: Instant,
): Pick<Rotation, "phase" | "phases" | "failures"> {
  const phase = "applying";
  return { phase, phases: withPhase(phases, { phase, startedAt: now }), failures: 0 };
}

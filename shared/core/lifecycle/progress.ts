import { findLastSeen, withDue, withDueAt } from "../record/due.ts";
import { withExposedCopies, withExposedVersions } from "../record/exposed-versions.ts";
import type { GivenSecret } from "../record/given.ts";
import { isFinal, type RunRecord } from "../record/history.ts";
import {
  type Exposure,
  type Failure,
  type Retirement,
  type Rotation,
  type RotationRequest,
  type SlotRecord,
  type StartReason,
  type TargetRecord,
  type WorkingPhase,
  workingPhases,
} from "../record/record.ts";
import {
  findPublicAt,
  isRequestOfPerson,
  newRun,
  pickGiven,
  withoutHold,
  withPhase,
} from "../record/rotation.ts";
import { findSlot, mayHaveSecretOf, promote, withSame, withSlot } from "../record/slots.ts";
import type { Target, VersionRef } from "../target.ts";
import { type Instant } from "../time.ts";
import { withoutAwaited } from "./awaited.ts";
import { withoutAnsweredDated } from "./dated.ts";
import { findUnansweredExposure, restartAt } from "./exposure.ts";
import { notify, toRotationData } from "./notifications.ts";
import { findRetirement } from "./retirement.ts";

export interface RotationStart {
  readonly account: string;
  readonly request: RotationRequest;
  readonly given?: GivenSecret;
  readonly grounds: StartReason;
  readonly now: Instant;
}

export function beginRotation(
  record: TargetRecord,
  { account, request, given, grounds, now }: RotationStart,
): TargetRecord {
  const { why, policyFingerprint } = grounds;
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
    ...pickGiven(request),
    ...(given && { given }),
  };
  const rest = given ? withoutGiven(record) : withoutRequests(record);
  return notify(
    { ...rest, rotation },
    { type: "rotation.started", at: now, data: toRotationData(rotation) },
  );
}

/** An import or an undo answers no other request, so a failed rotation is repeated after it. */
function withoutGiven({ given: _, ...rest }: TargetRecord): TargetRecord {
  return rest;
}

function withoutRequests({ request: _r, again: _a, ...rest }: TargetRecord): TargetRecord {
  return rest;
}

/** The rotation in its next phase. The count of failures starts again when the rotation gets further than before. */
export function advance(
  rotation: Rotation,
  phase: WorkingPhase,
  learnt: Partial<Rotation>,
  now: Instant,
): Rotation {
  const { confirmedAt, kept, ...rest } = withoutHold(rotation);
  // The confirmation of one pending secret says nothing about the next one.
  const isSame = learnt.pending === undefined;
  const confirmed = {
    ...(isSame && confirmedAt !== undefined && { confirmedAt }),
    ...(isSame && kept !== undefined && { kept }),
  };
  const phases = withPhase(closePhases(rotation, now), { phase, startedAt: now });
  const further = workingPhases.indexOf(phase) > workingPhases.indexOf(rotation.furthest);
  const progress = further ? { furthest: phase, failures: 0 } : {};
  return { ...rest, ...confirmed, ...learnt, ...progress, phase, phases };
}

/** The rotation back in an earlier phase whose result is no longer valid. Its published version no longer counts. */
export function goBack(rotation: Rotation, phase: WorkingPhase, now: Instant): Rotation {
  const { published: _, ...unpublished } = rotation;
  const lost = { changeBegan: false, ...(rotation.changeBegan && { outcomeInDoubt: true }) };
  const learnt = phase === "staging" ? lost : {};
  return advance(unpublished, phase, learnt, now);
}

export function closePhases(rotation: Rotation, now: Instant): Rotation["phases"] {
  return rotation.phases.map((one) => (one.endedAt === undefined ? { ...one, endedAt: now } : one));
}

export interface RotationSuccess {
  readonly rotation: Rotation;
  readonly target: Target;
  /** Whether the system can disable an account. */
  readonly canRetire: boolean;
  readonly now: Instant;
}

export function succeed(
  record: TargetRecord,
  { rotation, target, canRetire, now }: RotationSuccess,
): TargetRecord {
  const answered = withSeenSuperseded(
    withoutAnsweredDated(withoutAnswered(record, rotation), rotation),
    rotation,
  );
  const {
    rotation: _r,
    retirement,
    lastFailure: _f,
    refusedSince: _s,
    superseded: _p,
    again: _a,
    exposure: _e,
    awaited: _w,
    ...rest
  } = answered;
  const { published } = rotation;
  if (published === undefined) throw new RangeError(`rotation ${rotation.id} published nothing`);
  const before = findSlot(record, rotation.account);
  const isUnchanged = isPublishedAgain(record, rotation);
  const slot = toSlotAfter(before, { rotation, isUnchanged, now });
  const next = isUnchanged
    ? undefined
    : findRetirement(record, { rotation, target, canRetire, published, now });
  const done: TargetRecord = {
    ...rest,
    health: "healthy",
    slots: withSlot(record.slots, slot),
    active: rotation.account,
    published,
    ...(isUnchanged ? keepUnchanged(answered) : keepUnanswered(answered, { rotation, slot, now })),
    failures: 0,
    ...(rotation.leftUndone && { lastFailure: rotation.leftUndone }),
    ...(retirement && mayStillEnd(retirement, record, rotation) && { retirement }),
    ...(next && { retirement: next }),
  };
  const data = {
    ...toRotationData(rotation),
    secret: published.name,
    version: published.version,
    ...(rotation.leftUndone && { leftUndone: rotation.leftUndone.message }),
  };
  const seen = withSeenPublished(done, published);
  const planned = withUnanswered(withDue(seen, target, now), answered, rotation);
  return notify(planned, { type: "rotation.succeeded", at: now, data });
}

/** Whether an earlier retirement has something left to end: the rotation has changed its account, and has kept nothing if it says so. */
function mayStillEnd(
  { accountStays }: Retirement,
  { active }: TargetRecord,
  { account, kept }: Rotation,
): boolean {
  return active === account && !(accountStays && kept === false);
}

/**
 * The record that still repeats a failed rotation which a person requested, if the secret was given: it is not new, so it answers nobody.
 * A failed rotation of Keyturn's own is answered, because the published secret logs in.
 */
function withUnanswered(
  done: TargetRecord,
  { again, nextDue, dueReason }: TargetRecord,
  { given }: Rotation,
): TargetRecord {
  if (!given || !again || !isRequestOfPerson(again)) return done;
  const unanswered = { ...done, again };
  const isSooner = done.nextDue !== undefined && nextDue !== undefined && done.nextDue <= nextDue;
  return isSooner || nextDue === undefined
    ? unanswered
    : withDueAt(unanswered, nextDue, dueReason ?? again.why);
}

/** A request with the reason `exposure` says that somebody saw the secret that the rotation supersedes. */
function withSeenSuperseded(record: TargetRecord, { reason }: Rotation): TargetRecord {
  return reason === "exposure" ? withExposedVersions(record, [record.published?.version]) : record;
}

/** The slot of the account. An undo publishes the secret of an older version, and an import may have that of the current one. */
function toSlotAfter(
  before: SlotRecord,
  {
    rotation: { published = before.current, given },
    isUnchanged,
    now,
  }: { readonly rotation: Rotation; readonly isUnchanged: boolean; readonly now: Instant },
): SlotRecord {
  if (!published) return before;
  const slot = isUnchanged ? { ...before, current: published } : promote(before, published, now);
  const same = given?.by === "undo" ? given.ref.version : given?.sameAs;
  return same === undefined ? slot : withSame(slot, before, same);
}

/** Whether the rotation published the present secret once more, which changes nothing: its age and its exposure stay. */
function isPublishedAgain({ published }: TargetRecord, { given }: Rotation): boolean {
  return published !== undefined && given?.sameAs === published.version;
}

type Kept = Partial<Pick<TargetRecord, "exposure" | "superseded" | "lastSuccessAt" | "awaited">>;

function keepUnchanged({ superseded, exposure, awaited }: TargetRecord): Kept {
  const kept = { ...(superseded && { superseded }), ...(exposure && { exposure }) };
  return { ...kept, ...(awaited && { awaited }) };
}

function keepUnanswered(
  { exposure }: TargetRecord,
  { rotation, slot, now }: { rotation: Rotation; slot: SlotRecord; now: Instant },
): Kept {
  const isKept = exposure && !isAnswered(exposure, rotation, slot);
  return { lastSuccessAt: now, ...(isKept && { exposure: restartAt(exposure, now) }) };
}

/** An exposure that the rotation did not answer may concern the secret that it published. */
function withSeenPublished(done: TargetRecord, published: VersionRef): TargetRecord {
  const isSeen = findUnansweredExposure(done) !== undefined;
  return withExposedCopies(withExposedVersions(done, [isSeen ? published.version : undefined]));
}

/** Whether the rotation superseded the exposed secret. If the new secret itself was exposed, the exposure counts from the change. */
function isAnswered(exposure: Exposure, rotation: Rotation, slot: SlotRecord): boolean {
  if (exposure.version !== undefined) return !mayHaveSecretOf(slot, exposure.version);
  const publicAt = findPublicAt(rotation);
  return publicAt === undefined || findLastSeen(exposure) <= publicAt;
}

export interface RunInput {
  /** The target's record at `now`. */
  readonly record: TargetRecord;
  readonly state: RunRecord["state"];
  readonly now: Instant;
  /** By default, what the rotation left undone. */
  readonly failure?: Failure | undefined;
}

/** The history row of a rotation that is open or has just ended. */
export function toRunRecord(
  rotation: Rotation,
  { record, state, now, failure = rotation.leftUndone }: RunInput,
): RunRecord {
  const { targetId, nextDue, dueReason } = record;
  const ended = isFinal(state);
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
    ...pickResult(rotation),
    ...(failure && { failure }),
    ...pickGiven(rotation),
  });
}

function pickResult({ published, given }: Rotation): Pick<RunRecord, "published" | "alreadySet"> {
  return {
    ...(published && { published }),
    ...(given?.wasAccepted === true && { alreadySet: true }),
  };
}

/**
 * The record after a log-in with the published secret. It clears the known refusal, and a failure that no retry would clear.
 */
export function withPublishedProven(before: TargetRecord): TargetRecord {
  const record = before.awaited?.reason === "drift" ? withoutAwaited(before) : before;
  const { refusedSince, lastFailure, ...rest } = record;
  const isOver = record.health === "failing" && !record.rotation && !record.again;
  if (isOver) return { ...rest, health: "healthy" };
  if (refusedSince === undefined) return record;
  return { ...rest, ...(lastFailure && { lastFailure }) };
}

/** The record without the request that this rotation answers, whether it succeeded or failed. */
export function withoutAnswered(record: TargetRecord, rotation: Rotation): TargetRecord {
  const { request, ...rest } = record;
  return request?.rotationId === rotation.id ? rest : record;
}

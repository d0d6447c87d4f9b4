import { describeWait } from "./lifecycle/retirement.ts";
import { describeWaiting } from "./lifecycle/waiting.ts";
import { computeNextDue, type Due } from "./policy/due/schedule.ts";
import { fingerprintPolicy } from "./policy/policy.ts";
import { findLastChange, findSecretEnd, toFacts } from "./record/due.ts";
import { type RunRecord, type UnreadableRun } from "./record/history.ts";
import type { Justification } from "./record/justification.ts";
import { describePause, findPause, type Force, type Pause } from "./record/pause.ts";
import { findQueued } from "./record/queued.ts";
import {
  type AwaitedValue,
  type DatedRequest,
  type Exposure,
  type Health,
  type Lift,
  type PendingRefresh,
  type Reason,
  type Rotation,
  type RotationRequest,
  type SlotRecord,
  type TargetRecord,
} from "./record/record.ts";
import { newRecord } from "./record/rotation.ts";
import { countEntropyBits } from "./secrets/password.ts";
import type { Target, VersionRef } from "./target.ts";
import type { Instant } from "./time.ts";

/** A target as people and tools see it: its configuration and its state. */
export interface TargetView {
  readonly id: string;
  readonly type: string;
  /** `unreadable`: this version of Keyturn cannot read the journal row of the target, so it does not touch the target. */
  readonly health: Health | "unreadable";
  /** Why the row cannot be read, and what to do. */
  readonly unreadable?: string;
  readonly accounts: readonly string[];
  readonly changedBy: Target["authority"]["as"];
  readonly secret: { readonly vault: string; readonly name: string };
  readonly policy: string;
  /** Why this policy applies. */
  readonly policyWhy: string;
  /** Each rotation in the history has the fingerprint of the policy under which it began. */
  readonly policyFingerprint: string;
  /** The entropy of the passwords that the policy makes. */
  readonly passwordEntropyBits: number;
  readonly tags: Readonly<Record<string, string>>;
  /** The account whose secret consumers read. */
  readonly active?: string;
  readonly published?: VersionRef;
  /** When the system ends the published secret. Absent: it does not, or nobody knows when. */
  readonly secretEndsAt?: Instant;
  readonly adoptedAt?: Instant;
  /** When a log-in last proved the published secret. */
  readonly verifiedAt?: Instant;
  readonly lastSuccessAt?: Instant;
  /** The last successful change, made by Keyturn or by a person. */
  readonly changedAt?: Instant;
  /** The first exposure since the last change. */
  readonly exposure?: ExposureView;
  /** The last reported use, to the hour, and who reported it. */
  readonly lastUsedAt?: Instant;
  readonly lastUsedBy?: string;
  readonly lastFailure?: TargetRecord["lastFailure"];
  readonly nextDue?: Instant;
  readonly dueReason?: string;
  readonly rotation?: Pick<Rotation, "id" | "phase" | "account" | "startedAt"> &
    Caused & {
      readonly nextAttemptAt?: Instant;
      /** Why it waits until then, if a window or a freeze delays it. */
      readonly heldBy?: string;
      readonly lift?: Lift;
      readonly force?: Force;
    };
  /** The pause in force. */
  readonly pause?: Pause;
  readonly queuedRotation?: string;
  /** Until when, and why, the queued rotation waits. Without a time when the end is not known. */
  readonly queuedUntil?: Instant;
  readonly queuedWhy?: string;
  /** Rotations that people scheduled for a date, the first one first. */
  readonly scheduled?: readonly ScheduledView[];
  /** A new value that people must hand over, since when and why, and when Keyturn reminds them next. */
  readonly valueDue?: Pick<AwaitedValue, "since" | "why" | "remindAt">;
  /** The version of which consumers are still to be notified, outside of a rotation. */
  readonly refresh?: { readonly version: string; readonly at: Instant; readonly failures: number };
  readonly retirement?: {
    /** The account whose superseded secret Keyturn will disable. */
    readonly account: string;
    /** The time of the retirement, the next check or the next try. */
    readonly at: Instant;
    readonly waitsFor: string;
  };
  readonly slots: readonly SlotView[];
}

export interface SlotView extends Omit<SlotRecord, "unsettled"> {
  /** When a request that replaces the secret was announced, if its answer was lost. */
  readonly unsettledSince?: Instant;
}

/** A target with the alternatives that did not apply. */
export interface ExplainedView extends TargetView {
  /** Other possible due times, and why they do not apply. */
  readonly passedOver: Due["passedOver"];
  /** Policies that do not apply, and why not. */
  readonly policiesPassedOver: Target["policiesPassedOver"];
}

export function explainTarget(
  target: Target,
  record: TargetRecord | undefined,
  now: Instant,
): ExplainedView {
  const due = computeNextDue(target.policy, toFacts(record ?? newRecord(target.id)), now);
  return {
    ...viewTarget(target, record),
    ...viewPause(record, target, now),
    ...viewWaiting(record, record && findQueued(record)?.rotationId, target, now),
    passedOver: due.passedOver,
    policiesPassedOver: target.policiesPassedOver,
  };
}

/** A target whose journal row cannot be read: only its configuration is known. */
export function explainUnreadable(target: Target, why: string): ExplainedView {
  return {
    ...viewTarget(target, undefined, why),
    passedOver: [],
    policiesPassedOver: target.policiesPassedOver,
  };
}

export function viewTarget(
  target: Target,
  record: TargetRecord | undefined,
  unreadable?: string,
): TargetView {
  return {
    id: target.id,
    type: target.type,
    health: unreadable === undefined ? (record?.health ?? "new") : "unreadable",
    ...(unreadable !== undefined && { unreadable }),
    accounts: target.slots.map((slot) => slot.account),
    changedBy: target.authority.as,
    secret: { vault: target.publish.vault, name: target.publish.name },
    policy: target.policy.name,
    policyWhy: target.policyWhy,
    policyFingerprint: fingerprintPolicy(target.policy),
    passwordEntropyBits: countEntropyBits(target.policy.password),
    tags: target.tags,
    ...(record && { ...viewChange(record), ...viewOpen(record), ...viewRetirement(record) }),
    ...pick(record, [
      "active",
      "published",
      "adoptedAt",
      "verifiedAt",
      "lastSuccessAt",
      "lastFailure",
      "lastUsedAt",
      "lastUsedBy",
      "nextDue",
      "dueReason",
    ]),
    ...viewEnd(record),
    ...viewAwaited(record?.awaited),
    ...viewRefresh(record?.refresh),
    ...viewExposure(record),
    slots: (record?.slots ?? []).map(viewSlot),
  };
}

function viewEnd(record: TargetRecord | undefined): Pick<TargetView, "secretEndsAt"> {
  const at = record && findSecretEnd(record)?.at;
  return at === undefined ? {} : { secretEndsAt: at };
}

function viewAwaited(awaited: AwaitedValue | undefined): Pick<TargetView, "valueDue"> {
  if (!awaited) return {};
  const { since, why, remindAt } = awaited;
  return { valueDue: { since, why, remindAt } };
}

function viewRefresh(refresh: PendingRefresh | undefined): Pick<TargetView, "refresh"> {
  if (!refresh) return {};
  const { published, at, failures } = refresh;
  return { refresh: { version: published.version, at, failures } };
}

/** Without the operation, whose name may contain a signature. */
function viewSlot({ unsettled, ...slot }: SlotRecord): SlotView {
  return { ...slot, ...(unsettled && { unsettledSince: unsettled.since }) };
}

/** The rotation that is under way, the one that is queued, and those for which a date is set. */
function viewOpen(record: TargetRecord) {
  const { rotation, dated } = record;
  const queued = findQueued(record);
  return {
    ...(rotation && { rotation: viewRotation(rotation) }),
    ...(queued && viewRequest(queued)),
    ...(dated && { scheduled: dated.map(viewDated) }),
  };
}

function viewRotation(rotation: Rotation): NonNullable<TargetView["rotation"]> {
  const { id, phase, account, startedAt } = rotation;
  return {
    ...pick(rotation, ["nextAttemptAt", "heldBy", "lift", "force"]),
    id,
    phase,
    account,
    ...viewCause(rotation),
    startedAt,
  };
}

/** Why a rotation was requested, and what the person gave who requested it. */
interface Caused extends Justification {
  readonly cause: Reason;
}

function viewCause({ reason, justification }: Pick<Rotation, "reason" | "justification">): Caused {
  return { cause: reason, ...justification };
}

type ExposureView = Omit<Exposure, "justification"> & Justification;

function viewExposure(record: TargetRecord | undefined): { readonly exposure?: ExposureView } {
  if (!record?.exposure) return {};
  const { justification, ...exposure } = record.exposure;
  return { exposure: { ...exposure, ...justification } };
}

/** A rotation that a person scheduled for a date. */
interface ScheduledView extends Caused {
  readonly rotation: string;
  readonly notBefore: Instant;
  readonly requestedBy: string;
}

function viewDated(dated: DatedRequest): ScheduledView {
  const { rotationId, notBefore, requestedBy } = dated;
  return { rotation: rotationId, notBefore, requestedBy, ...viewCause(dated) };
}

function viewRetirement(record: TargetRecord): Pick<TargetView, "retirement"> {
  const { retirement } = record;
  if (!retirement) return {};
  const { account, at } = retirement;
  return { retirement: { account, at, waitsFor: describeWait(record) } };
}

function viewChange(record: TargetRecord): Pick<TargetView, "changedAt"> {
  const changedAt = findLastChange(record);
  return changedAt === undefined ? {} : { changedAt };
}

function viewRequest({ rotationId, notBefore, heldBy }: RotationRequest) {
  return {
    queuedRotation: rotationId,
    ...(notBefore !== undefined && { queuedUntil: notBefore }),
    ...(heldBy !== undefined && { queuedWhy: heldBy }),
  };
}

/** The pause in force, and what it delays. */
export function viewPause(
  record: TargetRecord | undefined,
  target: Target,
  now: Instant,
): Pick<TargetView, "pause" | "nextDue" | "dueReason" | "retirement"> {
  const pause = record && findPause(record, now);
  if (!pause) return {};
  const { retirement } = viewRetirement(record);
  return {
    pause,
    ...viewPausedDue(record, target, now),
    ...(retirement &&
      retirement.at < pause.until && { retirement: { ...retirement, at: pause.until } }),
  };
}

/** When the schedule starts a rotation after the pause. The stored moment stays: it counts if somebody ends the pause. */
function viewPausedDue(
  record: TargetRecord,
  { policy }: Target,
  now: Instant,
): Pick<TargetView, "nextDue" | "dueReason"> {
  const { again, adoptedAt, rotation, nextDue, dueReason = "" } = record;
  const pause = findPause(record, now, again?.force);
  if (!pause || rotation || adoptedAt === undefined) return {};
  if (nextDue === undefined || nextDue >= pause.until) return {};
  const planned = again ? undefined : computeNextDue(policy, toFacts(record), pause.until).at;
  const at = planned !== undefined && planned > pause.until ? planned : pause.until;
  return { nextDue: at, dueReason: `${dueReason}; ${describePause(pause)}` };
}

/** What keeps a rotation from starting, or from going on, and until when as far as that is known. */
export function viewWaiting(
  record: TargetRecord | undefined,
  rotationId: string | undefined,
  target: Target,
  now: Instant,
): Pick<RunView, "queuedUntil" | "queuedWhy"> {
  if (!record || rotationId === undefined) return {};
  const waiting = describeWaiting(record, rotationId, target, now);
  return {
    ...(waiting?.until !== undefined && { queuedUntil: waiting.until }),
    ...(waiting && { queuedWhy: waiting.why }),
  };
}

export interface RunView extends Omit<RunRecord, "schema" | "reason" | "justification">, Caused {
  /** Milliseconds from its start to its end. */
  readonly duration?: number;
  /** Until when, and why, a queued or open rotation waits. */
  readonly queuedUntil?: Instant;
  readonly queuedWhy?: string;
}

export type HistoryView = RunView | UnreadableRun;

export function viewRun(run: RunRecord): RunView {
  const { schema: _s, reason: _r, justification: _j, ...rest } = run;
  const { startedAt, endedAt } = run;
  return {
    ...rest,
    ...viewCause(run),
    ...(startedAt !== undefined &&
      endedAt !== undefined && { duration: Date.parse(endedAt) - Date.parse(startedAt) }),
  };
}

function pick<Source extends object, Key extends keyof Source>(
  source: Source | undefined,
  keys: readonly Key[],
): Partial<Pick<Source, Key>> {
  const found: Partial<Pick<Source, Key>> = {};
  for (const key of keys) if (source?.[key] !== undefined) found[key] = source[key];
  return found;
}

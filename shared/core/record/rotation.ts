import type { ErrorKind } from "../errors.ts";
import type { NotChosen } from "../policy/choose.ts";
import type { PassedOver } from "../policy/due/explain.ts";
import type { VersionRef } from "../target.ts";
import type { Instant } from "../time.ts";

/**
 * A phase is named for what may already have happened when it is read back from the journal:
 *
 * | phase | next effect |
 * |---|---|
 * | `staging` | make the secret and store it as pending |
 * | `applying` | give the target the pending secret, prove it by a log-in |
 * | `publishing` | write the version that consumers read |
 * | `checking` | read it back and log in with what was read |
 * | `refreshing` | refresh the consumers |
 * | `cleaning` | disable the own pending version |
 */
export const workingPhases = [
  "staging",
  "applying",
  "publishing",
  "checking",
  "refreshing",
  "cleaning",
] as const;
export type WorkingPhase = (typeof workingPhases)[number];

/**
 * The version of everything that is stored about targets and rotations. Raise it when a field of a stored record is added,
 * removed or changes its meaning after a release, and write the step from the version before (`stores/upgrade.ts`): an
 * instance of the older version then leaves the rows of the newer one alone instead of losing the field.
 */
export const recordSchema = 2;

/** Why a rotation was asked for. `drift`: the database refused what is published. */
export const reasons = ["schedule", "operator", "exposure", "first", "drift"] as const;
export type Reason = (typeof reasons)[number];

/** Stands for the person who wants a rotation when nobody but the policy does. */
export const schedule = "schedule";

/** Stands for the person who wants a rotation when Keyturn has found that what is published does not log in. */
export const keyturn = "keyturn";

export interface Failure {
  readonly kind: ErrorKind;
  /** A sentence for an operator, free of secrets. */
  readonly message: string;
  readonly at: Instant;
}

/** Somebody let a rotation start although a freeze is in force. Also holds for its repeats after a failure. */
export interface Lift {
  /** The reason that was given. */
  readonly why: string;
  readonly by: string;
  readonly at: Instant;
}

/** Phases that a rotation remembers. Something may undo its work again and again, for days. */
const mostPhases = 20;

export interface PhaseTime {
  readonly phase: WorkingPhase;
  readonly startedAt: Instant;
  readonly endedAt?: Instant;
}

/** On what a rotation begins, or waits for its beginning. */
export interface StartReason {
  /** What made it due, or who asked and what the policy said to that; a sentence for an operator. */
  readonly why: string;
  /** Of the policy at that moment. */
  readonly policyFingerprint: string;
}

/** The rotation a target is in the middle of. */
export interface Rotation extends StartReason {
  readonly id: string;
  /** The account whose secret is replaced. */
  readonly account: string;
  readonly reason: Reason;
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  readonly phase: WorkingPhase | "blocked";
  readonly startedAt: Instant;
  /** The latest; a rotation that goes back and forth for days keeps only so many. */
  readonly phases: readonly PhaseTime[];
  /** The last phase it has ever reached. */
  readonly furthest: WorkingPhase;
  readonly pending?: VersionRef;
  /** True from before the first change is sent: from then on the target may have the pending secret. */
  readonly changeBegan: boolean;
  /** True once a change was sent and nobody heard how it ended. */
  readonly outcomeInDoubt?: boolean;
  /** When the target first said that it has the pending secret. */
  readonly confirmedAt?: Instant;
  /** The published version, from the moment it is written. */
  readonly published?: VersionRef;
  /** Failures since it last got further than ever before. */
  readonly failures: number;
  readonly nextAttemptAt?: Instant;
  /** Why it waits until then, when hours or a freeze hold it back. */
  readonly heldBy?: string;
  /** A step after publishing that was given up; the secret itself is public and proven. */
  readonly leftUndone?: Failure;
  /** Milliseconds; overrides the target's grace for what this rotation supersedes. */
  readonly grace?: number;
  /** No freeze holds the rotation back. */
  readonly lift?: Lift;
}

/** What one account of a target has been given, newest first. Each is a candidate when nobody knows what is live. */
export interface SlotRecord {
  readonly account: string;
  readonly current?: VersionRef;
  readonly previous?: VersionRef;
  /** Pending when its rotation was given up with the outcome in doubt. */
  readonly abandoned?: VersionRef;
  readonly changedAt?: Instant;
}

/** Somebody wants a secret that becomes public after this moment. The id may be that of the open rotation. */
export interface RotationRequest {
  readonly rotationId: string;
  readonly reason: Reason;
  readonly requestedBy: string;
  readonly at: Instant;
  readonly notBefore?: Instant;
  /** Why it waits until then, in words for an operator. */
  readonly heldBy?: string;
  readonly grace?: number;
  /** No freeze holds the request back. */
  readonly lift?: Lift;
  /** Who asked, in order; absent while it was one person for one reason. */
  readonly why?: string;
}

/** A rotation failed and is to be repeated, for the same reason and on the same word. */
export interface RetryIntent extends Pick<
  RotationRequest,
  "reason" | "requestedBy" | "grace" | "lift"
> {
  readonly why: string;
  /** Why it waits, when a freeze is in its way. */
  readonly heldBy?: string;
}

/** Somebody saw the secret that consumers read. */
export interface Exposure {
  readonly at: Instant;
  /** Who saw it. */
  readonly by: string;
  /** Where it was seen, such as the name of a log. */
  readonly from?: string;
  readonly kind: "exposure" | "breach";
  /** Of the published secret. */
  readonly version?: string;
}

/** A superseded credential that will be made useless. */
export interface Retirement {
  readonly account: string;
  readonly at: Instant;
  /** The rotation that superseded it. */
  readonly rotationId: string;
  readonly failures: number;
  /** Present when it must be seen unused first. */
  readonly proof?: Proof;
}

/** The target refused a log-in with a stored secret. Recent ones are counted, so that guesses never lock an account. */
export interface Refusal {
  readonly account: string;
  /** Of the secret that was refused. */
  readonly version: string;
  readonly at: Instant;
}

/** Somebody must log in with what is published, and act if the target refuses it. */
export interface CheckRequest {
  /** When the check is due. */
  readonly at: Instant;
  readonly why: string;
  /** Checks in a row that could not be made. */
  readonly failures: number;
}

/** What looks at the sessions of a superseded account have shown since its grace was over. */
export interface Proof {
  /** Looks that found it in use. */
  readonly seenInUse: number;
  /** When a look found nobody; no later one has found anybody. */
  readonly quietSince?: Instant;
}

/** The target has its turn later: its server was silent, or busy with others. Whoever asks or reports something ends that. */
export interface PassedOverTarget {
  readonly at: Instant;
  readonly until: Instant;
  readonly why: string;
}

/** Who works on the target now. The fence grows with each claim and never shrinks. */
export interface Claim {
  readonly fence: number;
  readonly owner?: string;
  readonly until?: Instant;
}

/** Told to every notifier, at least once, with the same id each time. Never holds a secret. */
export interface Notification {
  readonly id: string;
  readonly type: NotificationType;
  readonly targetId: string;
  readonly at: Instant;
  readonly data: Readonly<Record<string, string | number | boolean>>;
  /** Names of the notifiers that have heard it, while others have not. */
  readonly toldTo?: readonly string[];
}

export type NotificationType =
  | "rotation.started"
  | "rotation.succeeded"
  | "rotation.failed"
  | "rotation.blocked"
  | "rotation.stalled"
  | "credential.adopted"
  | "credential.retired"
  | "drift.found"
  | "alarm";

export type Health = "new" | "healthy" | "failing" | "blocked";

/** Everything durable about one target. Plain JSON. */
export interface TargetRecord {
  readonly schema: typeof recordSchema;
  readonly targetId: string;
  readonly health: Health;
  readonly slots: readonly SlotRecord[];
  /** The account whose secret is published, or was before the target came to publish another one. */
  readonly active?: string;
  readonly published?: VersionRef;
  readonly adoptedAt?: Instant;
  /** Of what was found published at the adoption and did not log in. It has an age all the same. */
  readonly writtenAt?: Instant;
  readonly lastSuccessAt?: Instant;
  readonly lastFailure?: Failure;
  /** Rotations that failed in a row. */
  readonly failures: number;
  readonly rotation?: Rotation;
  readonly request?: RotationRequest;
  /** What the next rotation by schedule takes over from the one that failed. */
  readonly again?: RetryIntent;
  readonly retirement?: Retirement;
  readonly check?: CheckRequest;
  /** Since when the target is known to refuse what is published. */
  readonly refusedSince?: Instant;
  /** Refused log-ins of the last day, oldest first; at most 40. */
  readonly refusals?: readonly Refusal[];
  /** When the versions of the pending and the published secret were last counted, and left-over pending ones disabled. */
  readonly tidiedAt?: Instant;
  /** The first one since the last change. */
  readonly exposure?: Exposure;
  /** The last use that was reported; one that came less than an hour after it is not recorded. */
  readonly lastUsedAt?: Instant;
  /** Who used it then. */
  readonly lastUsedBy?: string;
  /** When the policy wants the next rotation, and why then. */
  readonly nextDue?: Instant;
  readonly dueReason?: string;
  /** Moments that might have been the due one, and why they are not; at most ten. */
  readonly passedOver?: readonly PassedOver[];
  /** Of the policy that `nextDue` was computed from, and of what was adopted: secret and accounts. */
  readonly policyFingerprint?: string;
  /** Why that policy applied, in at most 1,000 characters. */
  readonly policyWhy?: string;
  /** Policies that did not apply, and why not, each in at most 1,000 characters; at most ten. */
  readonly policiesPassedOver?: readonly NotChosen[];
  readonly outbox: readonly Notification[];
  readonly outboxRetryAt?: Instant;
  /** Nothing is done before. */
  readonly skipped?: PassedOverTarget;
  /** Nothing is done before: a bug was met, and another try at once would only meet it again. */
  readonly restUntil?: Instant;
  readonly claim: Claim;
}

/** One rotation in the history of a target. */
export interface RunRecord extends StartReason {
  readonly schema: typeof recordSchema;
  readonly rotationId: string;
  readonly targetId: string;
  readonly state: "queued" | "running" | "done" | "failed" | "blocked";
  readonly reason: Reason;
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  readonly account?: string;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly phases: readonly PhaseTime[];
  readonly published?: VersionRef;
  readonly failure?: Failure;
  /** When the target was due again once this rotation had ended, and why then. */
  readonly nextDue?: Instant;
  readonly dueReason?: string;
  /** Who lifted the freezes for this rotation. */
  readonly lift?: Lift;
}

/** One row of the history that this instance cannot read; it can read the others. */
export interface UnreadableRun extends Pick<RunRecord, "rotationId" | "targetId"> {
  readonly state: "unreadable";
  /** A sentence for an operator. */
  readonly why: string;
}

export type HistoryRow = RunRecord | UnreadableRun;

/** The latest phases, with one more. */
export function withPhase(phases: readonly PhaseTime[], added: PhaseTime): readonly PhaseTime[] {
  return [...phases, added].slice(-mostPhases);
}

/** Whether the account may have another secret than the rotation found. Then nothing but certainty holds it up. */
export function mayHaveChanged({ changeBegan, outcomeInDoubt }: Rotation): boolean {
  return changeBegan || outcomeInDoubt === true;
}

/** The record with nothing that passes the target over. */
export function withoutSkip(record: TargetRecord): TargetRecord {
  if (record.skipped === undefined) return record;
  const { skipped: _, ...rest } = record;
  return rest;
}

/** The record whose open rotation is asked again whether hours or a freeze hold it back. */
export function askedAgain(record: TargetRecord): TargetRecord {
  const { rotation } = record;
  return rotation?.heldBy === undefined ? record : { ...record, rotation: withoutHold(rotation) };
}

/** The rotation with nothing to wait for. */
export function withoutHold(rotation: Rotation): Rotation {
  const { nextAttemptAt: _n, heldBy: _h, ...free } = rotation;
  return free;
}

export function newRecord(targetId: string): TargetRecord {
  return {
    schema: recordSchema,
    targetId,
    health: "new",
    slots: [],
    failures: 0,
    outbox: [],
    claim: { fence: 0 },
  };
}

/** A row of the history as this version stores it. */
export function newRun(fields: Omit<RunRecord, "schema">): RunRecord {
  return { schema: recordSchema, ...fields };
}

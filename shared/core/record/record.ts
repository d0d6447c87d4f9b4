import type { ErrorKind } from "../errors.ts";
import type { NotChosen } from "../policy/choose.ts";
import type { PassedOver } from "../policy/due/explain.ts";
import type { VersionRef } from "../target.ts";
import type { Instant } from "../time.ts";
import type { GivenSecret } from "./given.ts";
import type { Justification } from "./justification.ts";
import type { Force, Pause } from "./pause.ts";

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
 * | `cleaning` | disable the pending version of this rotation |
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
 * removed or changes its meaning after a release, and write the step from the version before (`stores/table/upgrade.ts`): an
 * instance of the older version then leaves the rows of the newer one alone instead of losing the field.
 */
export const recordSchema = 2;

/**
 * Why a rotation was requested. `drift`: the database refused the published secret. `import`: somebody else issued the secret. `undo`:
 * the previous secret is published again. `linked`: the target that it follows (`after`) was rotated.
 */
export const reasons = [
  "schedule",
  "operator",
  "exposure",
  "first",
  "drift",
  "import",
  "undo",
  "linked",
] as const;
export type Reason = (typeof reasons)[number];

/** The requester of a rotation that only the policy wants. */
export const schedule = "schedule";

/** The requester of a rotation after Keyturn found that the published secret does not log in. */
export const keyturn = "keyturn";

export interface Failure {
  readonly kind: ErrorKind;
  /** A sentence for an operator, free of secrets. */
  readonly message: string;
  readonly at: Instant;
}

/** A person let a rotation start during a freeze. The lift also applies to retries after a failure. */
export interface Lift {
  /** The reason that the person gave. */
  readonly why: string;
  readonly by: string;
  readonly at: Instant;
}

export interface PhaseTime {
  readonly phase: WorkingPhase;
  readonly startedAt: Instant;
  readonly endedAt?: Instant;
}

/** Why a rotation begins, or waits to begin. */
export interface StartReason {
  /** What made it due, or who requested it and how the policy applies; a sentence for an operator. */
  readonly why: string;
  /** The fingerprint of the policy at that time. */
  readonly policyFingerprint: string;
}

/** The open rotation of a target. */
export interface Rotation extends StartReason {
  readonly id: string;
  /** The account whose secret is replaced. */
  readonly account: string;
  readonly reason: Reason;
  readonly requestedBy: string;
  readonly requestedAt: Instant;
  readonly phase: WorkingPhase | "blocked";
  readonly startedAt: Instant;
  /** The latest phases, at most 20. */
  readonly phases: readonly PhaseTime[];
  /** The furthest phase it has reached. */
  readonly furthest: WorkingPhase;
  readonly pending?: VersionRef;
  /** Present when Keyturn does not generate the secret. */
  readonly given?: GivenSecret;
  /** True from before the first change is sent: from then on the target may have the pending secret. */
  readonly changeBegan: boolean;
  /** True once Keyturn sent a change and does not know its result. */
  readonly outcomeInDoubt?: boolean;
  /** When the target first confirmed the pending secret. */
  readonly confirmedAt?: Instant;
  /** False if the target has certainly kept no superseded secret of the account. */
  readonly kept?: boolean;
  /** Present if one log-in with the pending secret does not prove enough. */
  readonly provesTwice?: SecondProof;
  /** The published version, from the moment it is written. */
  readonly published?: VersionRef;
  /** Failures since the rotation last got further than before. */
  readonly failures: number;
  readonly nextAttemptAt?: Instant;
  /** Why it waits until then, if a window or a freeze delays it. */
  readonly heldBy?: string;
  /** Since when it has waited for a vault that throttles it. */
  readonly throttledSince?: Instant;
  /** A step after publishing that Keyturn stopped trying. The secret itself is public and proven. */
  readonly leftUndone?: Failure;
  /** Milliseconds. Overrides the grace period of the target for the secret that this rotation supersedes. */
  readonly grace?: number;
  /** Present when freezes do not delay the rotation. */
  readonly lift?: Lift;
  /** Present when an earlier pause of the target does not delay the rotation. */
  readonly force?: Force;
  /** What the person gave whose request it answers. */
  readonly justification?: Justification;
}

/** The pending secret must log in twice, with a while in between. */
export interface SecondProof {
  /** When it first logged in. */
  readonly firstAt?: Instant;
}

/** The secrets of one account, newest first. Keyturn tries each of them when it does not know which one works. */
export interface SlotRecord {
  readonly account: string;
  readonly current?: VersionRef;
  readonly previous?: VersionRef;
  /** The pending version of the latest failed rotation whose secret the account may have. */
  readonly abandoned?: VersionRef;
  /** Those of earlier failed rotations, newest first; at most four. */
  readonly abandonedBefore?: readonly VersionRef[];
  /** Other versions with the same secret as `current`, newest first; at most five. */
  readonly sameAs?: readonly string[];
  /** The same of `previous`. */
  readonly previousSameAs?: readonly string[];
  readonly changedAt?: Instant;
  /** A request that replaces the secret of the account by one that the system creates, as long as nobody knows how it ended. */
  readonly unsettled?: Unsettled;
  /** The ids of the secrets of the account that Keyturn has stored and not ended, the newest first; at most fifty. */
  readonly secretIds?: readonly string[];
}

/** A request whose answer is missing. It may still take effect. */
export interface Unsettled {
  /** When Keyturn announced it. */
  readonly since: Instant;
  /** What the system calls the operation, if it answered that it has begun one. */
  readonly operation?: string;
}

/** A request for a new secret that becomes public after this moment. The id may be that of the open rotation. */
export interface RotationRequest {
  readonly rotationId: string;
  readonly reason: Reason;
  readonly requestedBy: string;
  readonly at: Instant;
  readonly notBefore?: Instant;
  /** Why it waits until then, in words for an operator. */
  readonly heldBy?: string;
  readonly grace?: number;
  /** Present when freezes do not delay the request. */
  readonly lift?: Lift;
  /** Present when an earlier pause of the target does not delay the request. */
  readonly force?: Force;
  readonly justification?: Justification;
  /** Who requested it, in order. Absent for one person with one reason. */
  readonly why?: string;
}

/** A request that waits for its start, or that the open rotation answers. */
export interface QueuedRequest extends RotationRequest {
  /** The open rotation that continues at once, even if it was blocked: another one answers the request, and starts only after it. */
  readonly hurries?: string;
}

/** A request for a rotation that puts a given secret in force. */
export interface GivenRequest extends RotationRequest {
  readonly secret: GivenSecret;
}

/** A rotation that a person scheduled for a date. */
export interface DatedRequest extends RotationRequest {
  readonly notBefore: Instant;
}

/** A retry of a failed rotation, with the same reason and requester. */
export interface RetryIntent extends Pick<
  RotationRequest,
  "reason" | "requestedBy" | "grace" | "lift" | "force" | "justification"
> {
  readonly why: string;
  /** When a person requested the failed rotation. */
  readonly requestedAt?: Instant;
  /** Why it waits, if a freeze or a grace delays it. */
  readonly heldBy?: string;
}

/** A report that somebody saw the published secret. */
export interface Exposure {
  readonly at: Instant;
  /** When it was seen last, if there are later reports. */
  readonly lastAt?: Instant;
  /** Who saw it. */
  readonly by: string;
  /** Where it was seen, such as the name of a log. */
  readonly from?: string;
  readonly kind: "exposure" | "breach";
  /** Who else saw the same secret, in the order of their reports; at most ten. */
  readonly alsoBy?: readonly string[];
  /** The version of the exposed secret. */
  readonly version?: string;
  readonly justification?: Justification;
}

/** The planned end of a superseded credential. */
export interface Retirement {
  readonly account: string;
  readonly at: Instant;
  /** The rotation that superseded it. */
  readonly rotationId: string;
  readonly failures: number;
  /** The account itself stays, and so does its published secret: only its superseded secrets are made useless. */
  readonly accountStays?: true;
  /** Present when Keyturn must find the account unused first. */
  readonly proof?: Proof;
}

/** What is known about the end of the published secret. */
export interface SecretEnd {
  /** The version with the secret. Of another version nothing is known. */
  readonly version: string;
  /** When the system ends the secret. Absent: it does not say which of its secrets this one is. */
  readonly at?: Instant;
  /** When Keyturn last reported that no rotation comes before. */
  readonly reportedAt?: Instant;
}

/** A log-in with a stored secret that the target refused. Recent ones count, so that further tries do not lock the account. */
export interface Refusal {
  readonly account: string;
  /** The version of the refused secret. */
  readonly version: string;
  readonly at: Instant;
}

/** A worker must log in with the published secret, and act if the target refuses it. */
export interface CheckRequest {
  /** When the check is due. */
  readonly at: Instant;
  readonly why: string;
  /** Consecutive checks that could not be made. */
  readonly failures: number;
}

/** Consumers must be notified of a version that no rotation has published. */
export interface PendingRefresh {
  /** The version. A later one ends the refresh: who publishes that notifies the consumers. */
  readonly published: VersionRef;
  /** What consumers receive as the rotation; the same at each try. */
  readonly rotationId: string;
  /** When the next try is due. */
  readonly at: Instant;
  readonly failures: number;
}

/** A new value that people must hand over, because Keyturn cannot get one. */
export interface AwaitedValue {
  readonly since: Instant;
  readonly reason: Reason;
  /** What made it due; a sentence for an operator. */
  readonly why: string;
  /** When people are reminded next. */
  readonly remindAt: Instant;
  /** When the secret was last seen, as far as the last reminder knew. */
  readonly seenAt?: Instant;
}

/** The next log-in with the published secret that has no other reason than the policy. */
export interface Heartbeat {
  readonly at: Instant;
  /** Consecutive heartbeats that could not be made. */
  readonly failures: number;
}

/** The account of a pair that was published until somebody published the other one by hand. */
export interface Superseded {
  readonly account: string;
  /** When the other account was published. */
  readonly at: Instant;
}

/** The results of the checks for sessions of a superseded account since its grace period ended. */
export interface Proof {
  /** Checks that found the account in use. */
  readonly seenInUse: number;
  /** When a check found no session; no later check has found one. */
  readonly quietSince?: Instant;
}

/** The work on the target is postponed, because its server is silent or busy. A new request or report ends that. */
export interface SkippedTarget {
  readonly at: Instant;
  readonly until: Instant;
  readonly why: string;
}

/** The worker that works on the target now. The fence grows with each claim and never shrinks. */
export interface Claim {
  readonly fence: number;
  readonly owner?: string;
  readonly until?: Instant;
}

/** A message that every notifier gets at least once, with the same id each time. It never contains a secret. */
export interface Notification {
  readonly id: string;
  readonly type: NotificationType;
  readonly targetId: string;
  readonly at: Instant;
  readonly data: Readonly<Record<string, string | number | boolean>>;
  /** The names of the notifiers that have received it, while others have not. */
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
  | "ledger.sealed"
  | "breach.started"
  | "breach.ended"
  | "alarm";

export type Health = "new" | "healthy" | "failing" | "blocked";

/** Everything durable about one target. Plain JSON. */
export interface TargetRecord {
  readonly schema: typeof recordSchema;
  readonly targetId: string;
  readonly health: Health;
  readonly slots: readonly SlotRecord[];
  /** The account whose secret is published, or was published before the configuration named another secret. */
  readonly active?: string;
  readonly published?: VersionRef;
  /** Of a system that ends its secrets. It may concern a version that the open rotation has published. */
  readonly secretEnd?: SecretEnd;
  readonly adoptedAt?: Instant;
  /** When the published secret was written, if it did not log in at the adoption. Its age counts from then. */
  readonly writtenAt?: Instant;
  readonly lastSuccessAt?: Instant;
  readonly lastFailure?: Failure;
  /** Consecutive failed rotations. */
  readonly failures: number;
  readonly rotation?: Rotation;
  readonly request?: QueuedRequest;
  /** An import or an undo that waits for its start. */
  readonly given?: GivenRequest;
  /** Rotations that people scheduled for a date, the first one first; at most five. */
  readonly dated?: readonly DatedRequest[];
  /** What the next scheduled rotation inherits from the failed one. */
  readonly again?: RetryIntent;
  readonly retirement?: Retirement;
  /** Present from a publication by hand to the end of the next rotation. */
  readonly superseded?: Superseded;
  readonly check?: CheckRequest;
  /** Since when the target is known to refuse the published secret. */
  readonly refusedSince?: Instant;
  /** Refused log-ins of the last day, oldest first; at most 40. */
  readonly refusals?: readonly Refusal[];
  /** When a log-in last proved the published secret. */
  readonly verifiedAt?: Instant;
  readonly heartbeat?: Heartbeat;
  readonly refresh?: PendingRefresh;
  /** Present from the moment at which a new value is due until somebody hands it over. */
  readonly awaited?: AwaitedValue;
  /** When Keyturn last counted the versions of the pending and the published secret and disabled left-over pending ones. */
  readonly tidiedAt?: Instant;
  /** The first exposure since the last change. */
  readonly exposure?: Exposure;
  /** Versions that somebody saw, the latest last; at most ten. No undo publishes them again. */
  readonly exposedVersions?: readonly string[];
  /** The last recorded use. Uses less than an hour after it are not recorded. */
  readonly lastUsedAt?: Instant;
  /** Who used it then. */
  readonly lastUsedBy?: string;
  /** When the next rotation is due, with its reason. */
  readonly nextDue?: Instant;
  readonly dueReason?: string;
  /** Other possible due times, and why they do not apply; at most ten. */
  readonly passedOver?: readonly PassedOver[];
  /** The fingerprint of the policy behind `nextDue`, and of the adopted secret and accounts. */
  readonly policyFingerprint?: string;
  /** Why that policy applied, in at most 1,000 characters. */
  readonly policyWhy?: string;
  /** Policies that did not apply, and why not, each in at most 1,000 characters; at most ten. */
  readonly policiesPassedOver?: readonly NotChosen[];
  readonly outbox: readonly Notification[];
  readonly outboxRetryAt?: Instant;
  /** The last pause, which may have ended. Only callers write it. */
  readonly pause?: Pause;
  /** Postpones all work on the target. */
  readonly skipped?: SkippedTarget;
  /** Postpones all work after an internal error, because an immediate retry would only meet the same error. */
  readonly restUntil?: Instant;
  readonly claim: Claim;
}

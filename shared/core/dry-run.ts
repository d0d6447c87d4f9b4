import { type dryRunChecks, type dryRunResults } from "./answer-words.ts";
import { isClaimed } from "./lifecycle/decide.ts";
import { findGuessWait } from "./lifecycle/guess-wait.ts";
import { acceptRequest } from "./lifecycle/request.ts";
import { describeWaiting, type Waiting } from "./lifecycle/waiting.ts";
import { type TargetRecord } from "./record/record.ts";
import { mayHaveChanged, withoutSkip } from "./record/rotation.ts";
import type { Target } from "./target.ts";
import { between, type Instant, minute, second } from "./time.ts";

/** One check of a dry run. */
export interface DryRunCheck {
  readonly check: (typeof dryRunChecks)[number];
  /** The account, secret, vault, server or consumer that was checked. */
  readonly about: string;
  readonly result: (typeof dryRunResults)[number];
  readonly sentence: string;
  /** What a person should do. */
  readonly action?: string;
}

export interface DryRun {
  readonly target: string;
  /** Whether no check failed, so that a rotation is expected to succeed. */
  readonly ready: boolean;
  readonly checks: readonly DryRunCheck[];
}

export function toDryRun({ id }: Target, checks: readonly DryRunCheck[]): DryRun {
  return { target: id, ready: checks.every(({ result }) => result !== "failed"), checks };
}

/** Why no dry run is possible now. */
export interface DryRunConflict {
  readonly why: string;
  /** Milliseconds. */
  readonly retryAfter: number;
}

/** A rotation that may have changed the target uses the guesses that are left, and its account may have either password. */
export function findConflict(record: TargetRecord, now: Instant): DryRunConflict | undefined {
  const { claim, rotation, targetId } = record;
  if (isClaimed(record, now)) {
    const why = `A worker is working on target ${targetId}. Try again after its claim ends, at ${claim.until ?? now} at the latest.`;
    return { why, retryAfter: 5 * second };
  }
  if (!rotation || !mayHaveChanged(rotation)) return undefined;
  const { id, nextAttemptAt = now } = rotation;
  const why = `Rotation ${id} of target ${targetId} may have changed the password and must end first. Its explanation says what it waits for.`;
  return { why, retryAfter: Math.max(between(now, nextAttemptAt), minute) };
}

/** What delays the rotation of a request that a person makes now. */
export function findDelay(record: TargetRecord, target: Target, now: Instant): Waiting | undefined {
  const asked = {
    rotationId: "requested now",
    reason: "operator",
    requestedBy: "a person",
    at: now,
  } as const;
  // The dry run itself holds the claim.
  const { owner: _o, until: _u, ...claim } = record.claim;
  const free = { ...withoutSkip(record), claim };
  const accepted = acceptRequest(free, asked, target, now);
  const isJoining = record.rotation?.id === accepted.rotationId;
  const waiting = describeWaiting(accepted.record, accepted.rotationId, target, now);
  return waiting ?? (isJoining ? findGuessWait(record, now) : undefined);
}

/** What a request starts that a person makes now and that nothing delays. */
export function describeImmediateStart({ rotation }: TargetRecord): string {
  if (!rotation) return "a rotation requested now starts at once";
  const { id, nextAttemptAt } = rotation;
  const waits = nextAttemptAt === undefined ? "" : `, which waits until ${nextAttemptAt},`;
  return `a request made now joins rotation ${id}${waits} and continues it at once`;
}

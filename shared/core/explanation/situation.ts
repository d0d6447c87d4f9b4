import { describeAwaited } from "../lifecycle/awaited.ts";
import { isClaimed, listPendingWork, type PendingWork } from "../lifecycle/decide.ts";
import { findHold } from "../lifecycle/hold.ts";
import { decideStart } from "../lifecycle/permit.ts";
import { isHurried, joinRequest } from "../lifecycle/request.ts";
import { describeWaiting, type Waiting } from "../lifecycle/waiting.ts";
import { computeNextDue } from "../policy/due/schedule.ts";
import type { Policy } from "../policy/policy.ts";
import { toFacts } from "../record/due.ts";
import { findQueued } from "../record/queued.ts";
import type { TargetRecord } from "../record/record.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";

/** What an explanation is made of: the record, the configuration, and what the engine decides from both now. */
export interface Situation {
  readonly target: Target;
  readonly record: TargetRecord;
  readonly now: Instant;
  /** Whether a worker is working on the target. */
  readonly isClaimed: boolean;
  /** The pending work in the order in which the engine does it; no moment is in the past. */
  readonly work: readonly TimedWork[];
  /** Why the open, requested or due rotation does not continue or start now. */
  readonly waiting?: Waiting;
  /** Since when the policy would permit a rotation, if only a window or a freeze delays it. */
  readonly dueSince?: Instant;
}

export interface TimedWork {
  readonly work: PendingWork["work"];
  readonly at: Instant;
}

export function assess(target: Target, record: TargetRecord, now: Instant): Situation {
  const dueSince = findDueSince(target, record, now);
  const waiting = findWaiting(target, record, now, dueSince);
  return {
    target,
    record,
    now,
    isClaimed: isClaimed(record, now),
    work: listInOrder(record, now),
    ...(waiting && { waiting }),
    ...(dueSince !== undefined && { dueSince }),
  };
}

/** Sorted by time. Work of the same time keeps the order of the engine, which does the most urgent first. */
function listInOrder(record: TargetRecord, now: Instant): TimedWork[] {
  const timed = listPendingWork(record, now).flatMap(({ work, at }) =>
    at === undefined ? [] : [{ work, at: at > now ? at : now }],
  );
  return timed.sort((a, b) => (a.at === b.at ? 0 : a.at < b.at ? -1 : 1));
}

function findWaiting(
  target: Target,
  record: TargetRecord,
  now: Instant,
  dueSince: Instant | undefined,
): Waiting | undefined {
  const { rotation, skipped, adoptedAt, awaited } = record;
  const id = rotation?.id ?? findQueued(record)?.rotationId;
  if (id !== undefined) {
    // A worker that holds the target is no obstacle to the work that it does.
    const { owner: _o, until: _u, ...claim } = record.claim;
    return describeWaiting({ ...record, claim }, id, target, now);
  }
  if (skipped && skipped.until > now) return { until: skipped.until, why: skipped.why };
  if (awaited) return { why: describeAwaited(target) };
  return adoptedAt === undefined ? undefined : findScheduledWait(target, record, now, dueSince);
}

/** Why a rotation that is due by schedule does not start now. */
function findScheduledWait(
  target: Target,
  record: TargetRecord,
  now: Instant,
  dueSince: Instant | undefined,
): Waiting | undefined {
  const { nextDue, dueReason = "the schedule postpones it", again } = record;
  if (nextDue === undefined) return undefined;
  if (nextDue > now) {
    const why = again?.heldBy ?? (dueSince === undefined ? undefined : dueReason);
    return why === undefined ? undefined : { until: nextDue, why };
  }
  const decided = decideStart(record, target, now);
  if (!("held" in decided)) return undefined;
  const until = decided.held.nextDue;
  return { why: decided.why, ...(until !== undefined && until > now && { until }) };
}

/** The policy without its windows and freezes. Appointments by cron alone are due moments, and not windows. */
function withoutWindows(policy: Policy): Policy {
  const { days: _d, between: _b, at: _a, freeze: _f, spread: _s, headStart: _h, ...rest } = policy;
  const { cron, ...free } = rest;
  return cron === undefined || policy.every !== undefined ? free : { ...free, cron };
}

function findDueSince({ policy }: Target, record: TargetRecord, now: Instant): Instant | undefined {
  const { nextDue, again, rotation, adoptedAt } = record;
  if (nextDue === undefined || nextDue <= now || again || rotation) return undefined;
  if (adoptedAt === undefined) return undefined;
  const { at } = computeNextDue(withoutWindows(policy), toFacts(record), now);
  return at !== undefined && at <= now ? at : undefined;
}

/** Why the rotation that is open, or that a request has joined, does not continue now. */
export function findOpenHold({ target, record, now }: Situation): Waiting | undefined {
  const { rotation } = isHurried(record) ? joinRequest(record, now) : record;
  return rotation && findHold(record, rotation, target, now);
}

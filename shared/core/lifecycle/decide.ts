import { findPause, notBeforePause } from "../record/pause.ts";
import { type Claim, type Rotation, type TargetRecord } from "../record/record.ts";
import { findPublicAt, mayHaveChanged } from "../record/rotation.ts";
import { between, clockToleranceMs, findEarliest, type Instant, minute, plus } from "../time.ts";
import { findNeedOf } from "./account-needed.ts";
import { findReminder } from "./awaited.ts";
import { findDated } from "./dated.ts";
import { findHeartbeat } from "./heartbeat.ts";
import { isHurried } from "./request.ts";

/** What a worker does with a target next. */
export type Work =
  | "adopt"
  | "join"
  | "start"
  | "resume"
  | "remind"
  | "check"
  | "refresh"
  | "retire"
  | "notify"
  | "wait";

/** Decides what to do next. The decision depends only on the record and the time. */
export function decideWork(record: TargetRecord, now: Instant): Work {
  return listPendingWork(record, now).find(({ at }) => isReached(at, now))?.work ?? "wait";
}

/** When a sweep must check the target again; undefined when only a person can change its state. */
export function findWakeTime(record: TargetRecord, now: Instant): Instant | undefined {
  if (record.claim.owner !== undefined) return record.claim.until;
  return findEarliest(...listPendingWork(record, now).map(({ at }) => at));
}

/** One kind of work that is pending for a target. */
export interface PendingWork {
  readonly work: Exclude<Work, "wait">;
  /** Undefined when the work is not pending. */
  readonly at: Instant | undefined;
}

/**
 * The pending work and its times, the most urgent first. `restUntil` and `skipped` postpone every kind of work. A pause of the target
 * postpones starts, retirements, and rotations that have changed nothing; it is not copied into their own times, so that its end or
 * a new end has an effect at once.
 */
export function listPendingWork(record: TargetRecord, now: Instant): PendingWork[] {
  const { rotation, retirement } = record;
  const isOpen = rotation !== undefined && rotation.phase !== "blocked";
  const mayRetire = retirement && !findNeedOf(record, retirement.account);
  // Consumers that have heard of the newer version must not hear of the older one after it.
  const isReplaced = rotation !== undefined && findPublicAt(rotation) !== undefined;
  const planned: PendingWork[] = [
    { work: "join", at: isHurried(record) ? now : undefined },
    { work: "resume", at: isOpen ? resumesAt(record, rotation, now) : undefined },
    { work: record.adoptedAt === undefined ? "adopt" : "start", at: beginsAt(record, now) },
    { work: "remind", at: findReminder(record, now) },
    { work: "check", at: mayCheck(record) ? record.check?.at : undefined },
    { work: "refresh", at: isReplaced ? undefined : record.refresh?.at },
    { work: "retire", at: mayRetire ? notBeforePause(retirement.at, record) : undefined },
    // Nothing doubts the secret, so a heartbeat comes after all work on the target.
    { work: "check", at: findHeartbeat(record) },
    { work: "notify", at: notifyAt(record, now) },
  ];
  return planned.map(({ work, at }) => ({ work, at: at && latest(at, findRestEnd(record)) }));
}

function findRestEnd({ restUntil = "", skipped }: TargetRecord): Instant | undefined {
  const until = skipped?.until ?? "";
  return (restUntil > until ? restUntil : until) || undefined;
}

/** A rotation that may have changed the target proves the published secret itself, unless it waits on a hold. */
function mayCheck({ rotation, adoptedAt }: TargetRecord): boolean {
  const provesItself =
    rotation !== undefined && mayHaveChanged(rotation) && rotation.heldBy === undefined;
  return adoptedAt !== undefined && !provesItself;
}

/** Half a change is worse than a change during a pause: a rotation that may have changed the target continues. */
function resumesAt(record: TargetRecord, rotation: Rotation, now: Instant): Instant {
  const at = rotation.nextAttemptAt ?? now;
  return mayHaveChanged(rotation) ? at : notBeforePause(at, record, rotation.force);
}

/** Whether a pause keeps the open rotation from continuing. */
export function isPaused(record: TargetRecord, rotation: Rotation, now: Instant): boolean {
  return !mayHaveChanged(rotation) && findPause(record, now, rotation.force) !== undefined;
}

/** When a target without a rotation is adopted or begins one; undefined while a rotation is open or blocked. */
function beginsAt(record: TargetRecord, now: Instant): Instant | undefined {
  const { rotation, request, given, nextDue, adoptedAt } = record;
  if (rotation) return undefined;
  // An adoption changes nothing, so a freeze or a pause that delays the request does not delay the adoption.
  if (adoptedAt === undefined) return request ? now : (nextDue ?? now);
  return findEarliest(
    given && notBeforePause(given.notBefore ?? now, record, given.force),
    findDated(record)?.at,
    request && notBeforePause(request.notBefore ?? now, record, request.force),
    findPolicyStart(record),
  );
}

/** While a value is awaited, people are reminded instead. */
function findPolicyStart(record: TargetRecord): Instant | undefined {
  const { nextDue, again, awaited } = record;
  return awaited ? undefined : nextDue && notBeforePause(nextDue, record, again?.force);
}

/** New notifications go out at once, and failed deliveries at their next try. */
function notifyAt({ outbox, outboxRetryAt }: TargetRecord, now: Instant): Instant | undefined {
  if (outbox.length === 0) return undefined;
  return outbox.some(({ toldTo }) => toldTo === undefined) ? now : (outboxRetryAt ?? now);
}

function latest(at: Instant, other: Instant | undefined): Instant {
  return other !== undefined && other > at ? other : at;
}

/** A claim is renewed before each step and always outlives the step's deadline. */
export const claimLength = 2 * minute;

/**
 * A claim that ends later than its length allows was made with a wrong clock. It does not count, because it would lock the target
 * for as long as that clock is ahead.
 */
export function isClaimed(record: TargetRecord, now: Instant): boolean {
  const { owner, until } = record.claim;
  if (owner === undefined || until === undefined) return false;
  const left = between(now, until);
  return left > 0 && left <= claimLength + clockToleranceMs;
}

/** The record with a claim of `owner` on the target, from now for the length of a claim. */
export function withClaim(
  record: TargetRecord,
  { fence, owner }: Required<Pick<Claim, "fence" | "owner">>,
  now: Instant,
): TargetRecord {
  return { ...record, claim: { fence, owner, until: plus(now, claimLength) } };
}

function isReached(moment: Instant | undefined, now: Instant): boolean {
  return moment !== undefined && moment <= now;
}

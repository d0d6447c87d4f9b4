import { findFreezeHold } from "../lifecycle/hold.ts";
import { describeWait } from "../lifecycle/retirement.ts";
import { describeWaiting, type Waiting } from "../lifecycle/waiting.ts";
import type { RunRecord } from "../record/history.ts";
import { findPause } from "../record/pause.ts";
import type { Failure, TargetRecord } from "../record/record.ts";
import { shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { between, type Instant, plus } from "../time.ts";
import type { Breach, BreachItem } from "./breach.ts";

/** Characters of a sentence in a report, so that a report of thousands of targets stays small. */
const maxLength = 400;

/** The same with what a person can do, which names a target and a rotation. */
const maxOutcome = 800;

type Running = Pick<Breach, "giveUpAfter" | "force" | "liftFreezes">;

/** What the journal contains about the target of an item. */
export interface ItemFacts {
  readonly run: RunRecord | undefined;
  readonly record: TargetRecord | undefined;
  /** Absent when it is not configured any more. */
  readonly target: Target | undefined;
  /** Why the journal's rows cannot be read. */
  readonly unreadable?: string;
}

/**
 * The item as the journal shows it now: its rotation has ended, or the breach waits for it no longer, or what it waits for. The same
 * object when nothing is new.
 */
export function judge(
  item: BreachItem,
  facts: ItemFacts,
  breach: Running,
  now: Instant,
): BreachItem {
  const { run, record } = facts;
  const { giveUpAfter } = breach;
  const isOver = between(item.begunAt ?? now, now) >= giveUpAfter;
  if (run?.state === "done") return judgeDone(item, run, record, { isOver, now });
  if (run?.state === "failed") return endFailed(item, run, record, now);
  if (run?.state === "blocked" || (record && isBlocked(record)))
    return endBlocked(item, record, now);
  const until = plus(item.begunAt ?? now, giveUpAfter);
  return judgeOpen(item, facts, { isOver, now, end: until, breach });
}

/** Whether only a person can bring the target further. */
export function isBlocked({ rotation, health, adoptedAt }: TargetRecord): boolean {
  return rotation?.phase === "blocked" || (health === "blocked" && adoptedAt === undefined);
}

interface Moment {
  readonly isOver: boolean;
  readonly now: Instant;
}

/** A rotation has only done its work when the old password of a pair is useless, too. */
function judgeDone(
  item: BreachItem,
  run: RunRecord,
  record: TargetRecord | undefined,
  { isOver, now }: Moment,
): BreachItem {
  const { rotationId } = run;
  const retirement = record?.retirement?.rotationId === rotationId ? record.retirement : undefined;
  if (retirement && record && !isOver) {
    return withWaitsFor(
      item,
      `the old password of account ${retirement.account} still works; ${describeWait(record)}`,
    );
  }
  const kept = item.keepsOldPassword
    ? "The accounts change their own passwords, so the old one works until the next rotation. Rotate the target once more to end it"
    : retirement &&
      `The old password of account ${retirement.account} still works. Keyturn goes on to disable it`;
  return {
    ...end(item, now, kept),
    state: "rotated",
    ...(run.endedAt !== undefined && { rotatedAt: run.endedAt }),
    ...(run.published && { version: run.published }),
    oldPasswordWorks: kept !== undefined,
    ...(run.failure && { failure: brief(run.failure) }),
  };
}

function endFailed(
  item: BreachItem,
  run: RunRecord,
  record: TargetRecord | undefined,
  now: Instant,
): BreachItem {
  const nextTry = record?.again ? record.nextDue : undefined;
  const outcome =
    nextTry === undefined
      ? "The rotation failed"
      : `The rotation failed. Keyturn tries again by itself at ${nextTry}`;
  return {
    ...end(item, now, outcome),
    state: "failed",
    ...(run.failure && { failure: brief(run.failure) }),
    ...(nextTry !== undefined && { nextTry }),
  };
}

function endBlocked(item: BreachItem, record: TargetRecord | undefined, now: Instant): BreachItem {
  return {
    ...end(
      item,
      now,
      "No stored password is known to work. A person must fix the target and request a rotation",
    ),
    state: "blocked",
    ...(record?.lastFailure && { failure: brief(record.lastFailure) }),
  };
}

function judgeOpen(
  item: BreachItem,
  facts: ItemFacts,
  { isOver, now, end: until, breach }: Moment & { readonly end: Instant; readonly breach: Running },
): BreachItem {
  const { record } = facts;
  const waiting = findWait(item, facts, now);
  // A freeze or a pause that ends too late is no reason to wait for.
  const isTooLate = waiting?.until !== undefined && waiting.until > until;
  if (!isOver && !isTooLate) return withWaitsFor(item, waiting?.why);
  const failure = record?.lastFailure;
  const why = shorten(waiting?.why ?? "The rotation is still under way", maxLength);
  return {
    ...end(item, now, [why, ...adviseOnOpen(item, facts, breach, now)].join(". ")),
    state: "unfinished",
    ...(failure && { failure: brief(failure) }),
    ...(waiting?.until !== undefined && { nextTry: waiting.until }),
  };
}

/** What rotates the target sooner, and where the outcome of its rotation will be: the report does not change any more. */
function adviseOnOpen(
  { targetId, rotationId }: BreachItem,
  { record, target }: ItemFacts,
  { force, liftFreezes }: Running,
  now: Instant,
): string[] {
  if (!record || !target || rotationId === undefined) return [];
  const isFrozen = liftFreezes !== true && findFreezeHold(target.policy, "breach", now);
  const isPaused = force !== true && findPause(record, now);
  const overrides = [...(isFrozen ? ["liftFreezes"] : []), ...(isPaused ? ["force"] : [])];
  const sooner = `To rotate the target now, confirm another breach of it with ${overrides.join(" and ")}`;
  return [
    ...(overrides.length > 0 ? [sooner] : []),
    `Rotation ${rotationId} goes on. See its outcome with GET /api/targets/${targetId}/rotations/${rotationId}`,
  ];
}

function findWait(
  { rotationId }: BreachItem,
  { record, target, unreadable }: ItemFacts,
  now: Instant,
): Waiting | undefined {
  if (unreadable !== undefined) return { why: unreadable };
  if (!target) return { why: "The target is no longer configured" };
  return record && rotationId !== undefined
    ? describeWaiting(record, rotationId, target, now)
    : undefined;
}

function end(item: BreachItem, now: Instant, outcome: string | undefined): BreachItem {
  const { waitsFor: _, ...rest } = item;
  return {
    ...rest,
    endedAt: now,
    ...(outcome !== undefined && { outcome: shorten(outcome, maxOutcome) }),
  };
}

/** The item with what its rotation waits for. Without a text the rotation is under way. */
export function withWaitsFor(item: BreachItem, why: string | undefined): BreachItem {
  const text = why === undefined ? undefined : shorten(why, maxLength);
  if (text === item.waitsFor) return item;
  const { waitsFor: _, ...rest } = item;
  return text === undefined ? rest : { ...rest, waitsFor: text };
}

/** The item of a target for which no rotation was requested. */
export function leave(item: BreachItem, why: string, now: Instant): BreachItem {
  return { ...end(item, now, why), state: "left" };
}

/** The item of a target whose rotation is about to be requested. */
export function begin(item: BreachItem, now: Instant): BreachItem {
  return { ...item, state: "begun", begunAt: now };
}

function brief(failure: Failure): Failure {
  return { ...failure, message: shorten(failure.message, maxLength) };
}

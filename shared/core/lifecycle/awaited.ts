import { computeNextDue } from "../policy/due/schedule.ts";
import { findLastSeen, toFacts } from "../record/due.ts";
import { notBeforePause } from "../record/pause.ts";
import type { AwaitedValue, Reason, TargetRecord } from "../record/record.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { day, findEarliest, hour, type Instant, plus } from "../time.ts";
import { notify } from "./notifications.ts";

/** Milliseconds between two reminders: usually, and while consumers are refused or somebody has seen the value. */
const remindEvery = day;
const remindUrgentlyEvery = 4 * hour;

const urgent: readonly Reason[] = ["exposure", "drift", "first"];

/** When people are reminded next. A report of an exposure is considered at once, because it may make the value due for another reason. */
export function findReminder(record: TargetRecord, now: Instant): Instant | undefined {
  const { awaited, adoptedAt, rotation } = record;
  if (!awaited || adoptedAt === undefined || rotation) return undefined;
  const at = findSeenAt(record) === awaited.seenAt ? awaited.remindAt : now;
  return notBeforePause(at, record);
}

const findSeenAt = ({ exposure }: TargetRecord): Instant | undefined =>
  exposure && findLastSeen(exposure);

export function withoutAwaited({ awaited: _, ...record }: TargetRecord): TargetRecord {
  return record;
}

/** What wants a new value now. */
export interface Wanted {
  readonly reason: Reason;
  readonly why: string;
}

/** What people must do, without a final period. */
export const describeAwaited = ({ id, publish: { vault, name } }: Target): string =>
  `the values of target ${id} come from people: import a new one (keyturn import ${id}), or write it into ${name} in vault ${vault}`;

/**
 * The record that awaits a new value, with a reminder if one is due: at once, then once a day, and every four hours while consumers are
 * refused or somebody has seen the value. Nothing fails meanwhile. `wanted`: undefined while only the next reminder may be due.
 */
export function awaitValue(
  record: TargetRecord,
  target: Target,
  wanted: Wanted | undefined,
  now: Instant,
): TargetRecord {
  const { awaited: before } = record;
  const seen = computeNextDue({ ...target.policy, manualOnly: true }, toFacts(record), now);
  const isSeen = isReached(seen.at, now);
  const next = isSeen ? { reason: "exposure" as const, why: seen.reason } : (wanted ?? before);
  if (!next) return record;
  const isNews = before === undefined || (isUrgent(next) && !isUrgent(before));
  const chosen = isNews ? next : before;
  const isDue = isNews || before.remindAt <= now;
  const planned = isDue ? plus(now, findDistance(chosen)) : before.remindAt;
  const remindAt = findEarliest(planned, isSeen ? undefined : seen.at) ?? planned;
  const awaited = toAwaited(record, chosen, remindAt, now);
  const waiting = { ...record, awaited };
  return isDue ? withReminder(waiting, target, awaited, now) : waiting;
}

const isReached = (at: Instant | undefined, now: Instant): boolean => at !== undefined && at <= now;

/** Whether people are reminded often. */
export const isUrgent = ({ reason }: Pick<Wanted, "reason">): boolean => urgent.includes(reason);

const findDistance = (wanted: Wanted): number =>
  isUrgent(wanted) ? remindUrgentlyEvery : remindEvery;

function toAwaited(
  record: TargetRecord,
  { reason, why }: Wanted,
  remindAt: Instant,
  now: Instant,
): AwaitedValue {
  const { awaited, nextDue } = record;
  const seenAt = findSeenAt(record);
  return {
    since: awaited?.since ?? findEarliest(nextDue, now) ?? now,
    ...{ reason, why: shorten(why, maxWhyLength), remindAt },
    ...(seenAt !== undefined && { seenAt }),
  };
}

function withReminder(
  record: TargetRecord,
  target: Target,
  { since, why }: AwaitedValue,
  now: Instant,
): TargetRecord {
  const message = `A new value is due since ${since} (${why}), and ${describeAwaited(target)}.`;
  const data = { kind: "value-due", message, since, secret: target.publish.name };
  return notify(record, { type: "alarm", at: now, data, about: `value-due/${now}` });
}

import { toMoments } from "../policy/due/facts.ts";
import { decide } from "../policy/due/placement.ts";
import { mayStart, nextDue } from "../policy/due/schedule.ts";
import { type Policy, policyFingerprint } from "../policy/policy.ts";
import { dueAt, toFacts, withDue } from "../record/due.ts";
import {
  type Reason,
  type RetryIntent,
  type RotationRequest,
  schedule,
  type StartReason,
  type TargetRecord,
} from "../record/rotation.ts";
import { longestWhy, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import { findGraceHold, type Hold } from "./grace-hold.ts";
import { holdForFreeze, toLiftReason, unlessSooner } from "./hold.ts";

/** The input of a rotation. It has no id when no caller has received one. */
export type Wish = Omit<RotationRequest, "rotationId"> &
  Partial<Pick<RotationRequest, "rotationId">>;

/** Either the rotation that may begin, or the record in which the request or the schedule waits. */
export type StartDecision = ({ readonly wish: Wish } | { readonly held: TargetRecord }) & {
  readonly why: string;
};

/**
 * Decides whether a rotation may begin when a request or the schedule wants one. Windows do not apply to requests of people; freezes
 * do, unless they are lifted. The schedule is evaluated again, because a late start may have missed its window.
 */
export function decideStart(record: TargetRecord, target: Target, now: Instant): StartDecision {
  const asked = decideRequestedStart(record, target, now);
  if (asked && "wish" in asked) return asked;
  const waiting = asked?.held ?? record;
  if (waiting.nextDue === undefined || waiting.nextDue > now) {
    const why = `policy ${target.policy.name}: no rotation of target ${target.id} is due`;
    return asked ?? { held: waiting, why };
  }
  const scheduled = decideScheduledStart(waiting, target, now);
  if ("held" in scheduled) return asked ? { ...scheduled, why: asked.why } : scheduled;
  return { ...scheduled, wish: answering(scheduled.wish, waiting.request) };
}

/** The parts of a request on which freezes and explanations depend. */
export type Asked = Pick<RotationRequest, "reason" | "requestedBy"> &
  Partial<Pick<RotationRequest, "lift" | "why">>;

/** Why a request starts a rotation, or waits for its start. */
export function describeStart(
  asked: Asked,
  record: TargetRecord,
  { policy }: Target,
  now: Instant,
): StartReason {
  const why = askedWhy(asked, findFreeze(asked, record, policy, now), policy);
  return { why, policyFingerprint: policyFingerprint(policy) };
}

/** Until when, and why, a freeze delays a request. Undefined when no freeze applies or it is lifted. */
export function findFreeze(
  { reason, lift }: Pick<Asked, "reason" | "lift">,
  record: TargetRecord,
  policy: Policy,
  now: Instant,
): Hold | undefined {
  return lift ? undefined : holdForFreeze(policy, toLiftReason(reason, record), now);
}

/** Who requested the rotation, in order. */
export function askedBy({ why, reason, requestedBy }: Asked): string {
  return why ?? `Requested by ${requestedBy} (reason: ${reason})`;
}

function askedWhy(asked: Asked, hold: Hold | undefined, { name }: Policy): string {
  const { lift } = asked;
  const free = lift
    ? `freezes lifted by ${lift.by}: ${lift.why}`
    : `policy ${name}: no freeze applies`;
  return shorten(`${askedBy(asked)}; ${hold?.why ?? free}`, longestWhy);
}

/** A rotation by schedule also answers the waiting request. */
function answering(wish: Wish, request: RotationRequest | undefined): Wish {
  if (!request) return wish;
  const { rotationId, at, grace, lift } = request;
  return { ...wish, rotationId, at, ...(grace !== undefined && { grace }), ...(lift && { lift }) };
}

/** Undefined when no request may start now. */
function decideRequestedStart(
  record: TargetRecord,
  target: Target,
  now: Instant,
): StartDecision | undefined {
  const { request } = record;
  const { policy } = target;
  if (!request || (request.notBefore ?? now) > now) return undefined;
  const hold =
    findFreeze(request, record, policy, now) ?? findGraceHold(record, request, target, now);
  if (!hold) return { wish: request, why: askedWhy(request, undefined, policy) };
  const { until, why } = hold;
  return { held: { ...record, request: { ...request, notBefore: until, heldBy: why } }, why };
}

function decideScheduledStart(record: TargetRecord, target: Target, now: Instant): StartDecision {
  const { policy } = target;
  const { again } = record;
  const wish = { at: now, requestedBy: schedule, reason: findReason(record, policy, now) };
  const { allowed, why } = mayStart(policy, toFacts(record), now);
  const isExposure = allowed && wish.reason === "exposure";
  if (again && again.requestedBy !== schedule && !isExposure) {
    const hold =
      findFreeze(again, record, policy, now) ?? findGraceHold(record, again, target, now);
    return hold
      ? heldAgain(record, again, unlessSooner(hold, record, policy, now))
      : repeatStart(wish, again);
  }
  if (!allowed) return { held: withDue(record, target, now), why };
  const grace = findGraceHold(record, { ...again, ...wish }, target, now);
  if (grace) return { held: dueAt(record, grace.until, grace.why), why: grace.why };
  // Unlike `why`, this reason names the place of the target in the spread.
  const { reason } = nextDue(policy, toFacts(record), now);
  if (!again) return { wish, why: reason };
  // An exposure is the reason of the rotation, even after other failures.
  return isExposure
    ? repeatStart(wish, { ...again, reason: "exposure", why: reason })
    : repeatStart(wish, again);
}

function heldAgain(record: TargetRecord, again: RetryIntent, { until, why }: Hold): StartDecision {
  return { held: { ...dueAt(record, until, why), again: { ...again, heldBy: why } }, why };
}

function repeatStart(wish: Wish, { why, heldBy: _, ...again }: RetryIntent): StartDecision {
  return { wish: { ...wish, ...again }, why: shorten(why, longestWhy) };
}

function findReason(record: TargetRecord, policy: Policy, now: Instant): Reason {
  if (!record.published) return "first";
  const { chosen } = decide(policy, toMoments(toFacts(record)), Date.parse(now), () => 0);
  return chosen?.claim.rule === "exposure" ? "exposure" : "schedule";
}

/**
 * The record with the due time of its policy, and not before the end of the grace of the account to change, if somebody has just published
 * the other account by hand.
 */
export function withDueAfterGrace(
  record: TargetRecord,
  target: Target,
  now: Instant,
): TargetRecord {
  const due = withDue(record, target, now);
  const bySchedule = { reason: "schedule", requestedBy: schedule } as const;
  const hold = findGraceHold(due, bySchedule, target, now);
  const until = hold && unlessSooner(hold, due, target.policy, now).until;
  if (!until || due.nextDue === undefined || due.nextDue >= until) return due;
  return dueAt(due, until, hold.why);
}

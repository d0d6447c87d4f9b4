import { toMoments } from "../policy/due/facts.ts";
import { decide } from "../policy/due/placement.ts";
import { frozenUntil, mayOverride, mayStart, nextDue } from "../policy/due/schedule.ts";
import { type LiftReason, type Policy, policyFingerprint } from "../policy/policy.ts";
import { findOpenings } from "../policy/windows/openings.ts";
import { dueAt, toFacts, withDue } from "../record/due.ts";
import {
  mayHaveChanged,
  type Reason,
  type RetryIntent,
  type Rotation,
  type RotationRequest,
  schedule,
  type StartReason,
  type TargetRecord,
} from "../record/rotation.ts";
import { longestWhy, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { day, type Instant, plus } from "../time.ts";

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
  const asked = decideRequestedStart(record, target.policy, now);
  if (asked && "wish" in asked) return asked;
  const waiting = asked?.held ?? record;
  if (waiting.nextDue === undefined || waiting.nextDue > now) {
    return asked ?? { held: waiting, why: "nothing is due" };
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
  policy: Policy,
  now: Instant,
): StartDecision | undefined {
  const { request } = record;
  if (!request || (request.notBefore ?? now) > now) return undefined;
  const hold = findFreeze(request, record, policy, now);
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
    const hold = findFreeze(again, record, policy, now);
    return hold
      ? heldAgain(record, again, unlessSooner(hold, record, policy, now))
      : repeatStart(wish, again);
  }
  if (!allowed) return { held: withDue(record, target, now), why };
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

/** Until when a rotation or a request is delayed, and why. */
export interface Hold {
  readonly until: Instant;
  readonly why: string;
}

/** The hold, or a shorter one if an exposure of the secret permits a rotation earlier. */
export function unlessSooner(hold: Hold, record: TargetRecord, policy: Policy, now: Instant): Hold {
  if (!record.exposure) return hold;
  const { at, reason } = nextDue(policy, toFacts(record), now);
  return at === undefined || at >= hold.until ? hold : { until: at, why: reason };
}

function holdForFreeze(policy: Policy, lift: LiftReason, now: Instant): Hold | undefined {
  const until = frozenUntil(policy, now, lift);
  if (until === undefined) return undefined;
  return { until, why: shorten(mayOverride(policy, now, lift).why, longestWhy) };
}

function toLiftReason(reason: Reason, { exposure }: TargetRecord): LiftReason {
  if (reason !== "exposure") return "operator";
  return exposure?.kind ?? "exposure";
}

/**
 * Until when an open rotation waits because a window has closed or a freeze has begun. A rotation that may have changed the target
 * always continues.
 */
export function findHold(
  record: TargetRecord,
  rotation: Rotation,
  policy: Policy,
  now: Instant,
): Hold | undefined {
  if (mayHaveChanged(rotation) || rotation.lift) return undefined;
  const hold = heldByPolicy(record, rotation, policy, now);
  const held = hold && unlessSooner(hold, record, policy, now);
  return held && held.until > now ? held : undefined;
}

/**
 * The record whose open rotation waits, because a window has closed or a freeze has begun since the last try; undefined when the
 * rotation may continue.
 */
export function withPolicyHold(
  record: TargetRecord,
  policy: Policy,
  now: Instant,
): TargetRecord | undefined {
  const { rotation } = record;
  const hold = rotation && findHold(record, rotation, policy, now);
  return (
    hold && { ...record, rotation: { ...rotation, nextAttemptAt: hold.until, heldBy: hold.why } }
  );
}

function heldByPolicy(
  record: TargetRecord,
  rotation: Rotation,
  policy: Policy,
  now: Instant,
): Hold | undefined {
  const lift = toLiftReason(rotation.reason, record);
  if (rotation.requestedBy !== schedule) return holdForFreeze(policy, lift, now);
  const isExposure = rotation.reason === "exposure";
  const variant = isExposure ? { lift, anyTime: policy.exposureIgnoresWindow ?? false } : {};
  const opening = findOpenings(policy, variant).first(-Infinity, Date.parse(now));
  if (opening && opening.from <= Date.parse(now)) return undefined;
  const until = opening ? new Date(opening.from).toISOString() : plus(now, day);
  return { until, why: `policy ${policy.name}: no window is open before ${until}` };
}

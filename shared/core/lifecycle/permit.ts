import { toMoments } from "../policy/due/facts.ts";
import { decide } from "../policy/due/placement.ts";
import { computeNextDue, mayStart } from "../policy/due/schedule.ts";
import { fingerprintPolicy, type Policy } from "../policy/policy.ts";
import { toFacts, withDue, withDueAt } from "../record/due.ts";
import type { GivenSecret } from "../record/given.ts";
import { describeJustification } from "../record/justification.ts";
import {
  describePause,
  describePauseOfRotation,
  findLaterForce,
  findPause,
  type Pause,
} from "../record/pause.ts";
import {
  type Reason,
  type RetryIntent,
  type RotationRequest,
  schedule,
  type StartReason,
  type TargetRecord,
} from "../record/record.ts";
import { pickGiven } from "../record/rotation.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import type { Instant } from "../time.ts";
import { findGraceHold, type Hold } from "./grace-hold.ts";
import { findFreezeHold, keepUnlessSooner, toLiftReason } from "./hold.ts";

/** The input of a rotation. It has no id when no caller has received one. */
export type RotationIntent = Omit<RotationRequest, "rotationId"> &
  Partial<Pick<RotationRequest, "rotationId">>;

/** Either the rotation that may begin, or the record in which the request or the schedule waits. */
export type StartDecision = (
  | { readonly intent: RotationIntent; readonly given?: GivenSecret }
  | { readonly held: TargetRecord }
) & {
  readonly why: string;
};

/**
 * Decides whether a rotation may begin when a request or the schedule wants one. Windows do not apply to requests of people; freezes
 * do, unless they are lifted, and so does a pause of the target, unless the request has a force. The schedule is evaluated again,
 * because a late start may have missed its window.
 */
export function decideStart(record: TargetRecord, target: Target, now: Instant): StartDecision {
  let [waiting, held]: [TargetRecord, string | undefined] = [record, undefined];
  for (const decideOne of [decideGivenStart, decideRequestedStart]) {
    const asked = decideOne(waiting, target, now);
    if (asked && "intent" in asked) return asked;
    if (asked) [waiting, held] = [asked.held, held ?? asked.why];
  }
  const unasked = decideUnrequestedStart(waiting, target, now);
  return held !== undefined && "held" in unasked ? { held: unasked.held, why: held } : unasked;
}

function decideUnrequestedStart(record: TargetRecord, target: Target, now: Instant): StartDecision {
  const { nextDue, again, request } = record;
  if (nextDue === undefined || nextDue > now) {
    return { held: record, why: whyNothingStarts(record, target, now) };
  }
  const pause = findPause(record, now, again?.force);
  if (pause) return { held: record, why: describePauseOfRotation(pause) };
  const scheduled = decideScheduledStart(record, target, now);
  if ("held" in scheduled) return scheduled;
  return { ...scheduled, intent: answering(scheduled.intent, request) };
}

function whyNothingStarts(record: TargetRecord, { id, policy }: Target, now: Instant): string {
  const { request } = record;
  const pause = request && findPause(record, now, request.force);
  return pause
    ? describePauseOfRotation(pause)
    : `policy ${policy.name}: no rotation of target ${id} is due`;
}

/** The parts of a request on which freezes, pauses and explanations depend. */
export type Asked = Pick<RotationRequest, "reason" | "requestedBy"> &
  Partial<Pick<RotationRequest, "lift" | "force" | "justification" | "why" | "at" | "grace">>;

/** Why a request starts a rotation, or waits for its start. */
export function describeStart(
  asked: Asked,
  record: TargetRecord,
  target: Target,
  now: Instant,
): StartReason {
  const { policy } = target;
  const hold = findHoldOfRequest(asked, record, target, now);
  const why = askedWhy(asked, hold, policy, findPause(record, now, asked.force));
  return { why, policyFingerprint: fingerprintPolicy(policy) };
}

/** Until when, and why, a freeze or the grace of the account to change delays a request. */
export function findHoldOfRequest(
  asked: Asked,
  record: TargetRecord,
  target: Target,
  now: Instant,
): Hold | undefined {
  return findFreeze(asked, record, target.policy, now) ?? findGraceHold(record, asked, target, now);
}

/** Until when, and why, a freeze delays a request. Undefined when no freeze applies or it is lifted. */
function findFreeze(
  { reason, lift }: Pick<Asked, "reason" | "lift">,
  record: TargetRecord,
  policy: Policy,
  now: Instant,
): Hold | undefined {
  return lift ? undefined : findFreezeHold(policy, toLiftReason(reason, record), now);
}

/** Who requested the rotation, in order. */
export function describeRequester(asked: Asked): string {
  return asked.why ?? `Requested by ${describeAsker(asked)}`;
}

/** One person or program, with its cause and its own words. */
export function describeAsker({ requestedBy, reason, justification }: Asked): string {
  return `${requestedBy} (cause: ${reason}${describeJustification(justification)})`;
}

function askedWhy(
  asked: Asked,
  hold: Hold | undefined,
  { name }: Policy,
  pause: Pause | undefined,
): string {
  const { lift, force } = asked;
  const free = lift
    ? `freezes lifted by ${lift.by}: ${lift.why}`
    : `policy ${name}: no freeze applies`;
  const parts = [
    describeRequester(asked),
    ...(pause ? [describePause(pause)] : []),
    ...(force && !pause ? [`pause overridden by ${force.by}: ${force.why}`] : []),
    hold?.why ?? free,
  ];
  return shorten(parts.join("; "), maxWhyLength);
}

/** A rotation by schedule also answers the waiting request. */
function answering(intent: RotationIntent, request: RotationRequest | undefined): RotationIntent {
  if (!request) return intent;
  const { rotationId, at, grace, lift, justification } = request;
  const force = findLaterForce(intent.force, request.force);
  return {
    ...intent,
    rotationId,
    at,
    ...(grace !== undefined && { grace }),
    ...pickGiven({ lift, force, justification }),
  };
}

/** Undefined when no import or undo may start now. */
function decideGivenStart(
  record: TargetRecord,
  target: Target,
  now: Instant,
): StartDecision | undefined {
  const { given } = record;
  const decided = given && decideAsked(given, record, target, now);
  if (!decided) return undefined;
  if ("held" in decided) return { held: { ...record, given: decided.held }, why: decided.why };
  const { secret, ...intent } = decided.intent;
  return { intent, given: secret, why: decided.why };
}

/** Undefined when no request may start now. */
function decideRequestedStart(
  record: TargetRecord,
  target: Target,
  now: Instant,
): StartDecision | undefined {
  const { request } = record;
  const decided = request && decideAsked(request, record, target, now);
  if (!decided || "intent" in decided) return decided;
  return { held: { ...record, request: decided.held }, why: decided.why };
}

/** Whether the request may start, or until when it is held. Undefined when it waits already. */
function decideAsked<Request extends RotationRequest>(
  request: Request,
  record: TargetRecord,
  target: Target,
  now: Instant,
):
  | (({ readonly intent: Request } | { readonly held: Request }) & { readonly why: string })
  | undefined {
  if ((request.notBefore ?? now) > now) return undefined;
  if (findPause(record, now, request.force)) return undefined;
  const hold = findHoldOfRequest(request, record, target, now);
  if (!hold) {
    return { intent: request, why: askedWhy(request, undefined, target.policy, undefined) };
  }
  const { until, why } = hold;
  return { held: { ...request, notBefore: until, heldBy: why }, why };
}

function decideScheduledStart(record: TargetRecord, target: Target, now: Instant): StartDecision {
  const { policy } = target;
  const { again } = record;
  const intent = { at: now, requestedBy: schedule, reason: findReason(record, policy, now) };
  const { allowed, why } = mayStart(policy, toFacts(record), now);
  const isExposure = allowed && intent.reason === "exposure";
  if (again && again.requestedBy !== schedule && !isExposure) {
    return decideRepeatedStart(record, { intent, again }, target, now);
  }
  if (!allowed) return { held: withDue(record, target, now), why };
  const grace = isExposure ? undefined : findGraceHold(record, intent, target, now);
  if (grace && again) return heldAgain(record, again, grace);
  if (grace) return { held: withDueAt(record, grace.until, grace.why), why: grace.why };
  // Unlike `why`, this reason names the place of the target in the spread.
  const { reason } = computeNextDue(policy, toFacts(record), now);
  if (!again) return { intent, why: reason };
  // An exposure is the reason of the rotation, even after other failures.
  return isExposure
    ? repeatStart(intent, { ...again, reason: "exposure", why: reason })
    : repeatStart(intent, again);
}

/** A retry of a person's rotation ignores windows, like the rotation itself. */
function decideRepeatedStart(
  record: TargetRecord,
  { intent, again }: { readonly intent: RotationIntent; readonly again: RetryIntent },
  target: Target,
  now: Instant,
): StartDecision {
  const hold = findHoldOfRequest(asAsked(again), record, target, now);
  return hold
    ? heldAgain(record, again, keepUnlessSooner(hold, record, target.policy, now))
    : repeatStart(intent, again);
}

function heldAgain(record: TargetRecord, again: RetryIntent, { until, why }: Hold): StartDecision {
  return { held: { ...withDueAt(record, until, why), again: { ...again, heldBy: why } }, why };
}

function repeatStart(intent: RotationIntent, again: RetryIntent): StartDecision {
  const { why, heldBy: _, requestedAt: at = intent.at, ...rest } = again;
  return { intent: { ...intent, ...rest, at }, why: shorten(why, maxWhyLength) };
}

function asAsked({ requestedAt, ...again }: RetryIntent): Asked {
  return { ...again, ...(requestedAt !== undefined && { at: requestedAt }) };
}

function findReason(record: TargetRecord, policy: Policy, now: Instant): Reason {
  if (!record.published) return "first";
  const { chosen } = decide(policy, toMoments(toFacts(record)), Date.parse(now), () => 0);
  return chosen?.rule.kind === "exposure" ? "exposure" : "schedule";
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
  const until = hold && keepUnlessSooner(hold, due, target.policy, now).until;
  if (!until || due.nextDue === undefined || due.nextDue >= until) return due;
  return withDueAt(due, until, hold.why);
}

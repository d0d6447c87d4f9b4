import { toMoments } from "../policy/due/facts.ts";
import { findStartBeforeEnd } from "../policy/due/placement.ts";
import { computeNextDue, findFreezeEnd, mayOverride } from "../policy/due/schedule.ts";
import type { LiftReason, Policy } from "../policy/policy.ts";
import { findOpenings } from "../policy/windows/openings.ts";
import { toFacts } from "../record/due.ts";
import { type Reason, type Rotation, schedule, type TargetRecord } from "../record/record.ts";
import { mayHaveChanged, withoutHold } from "../record/rotation.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { day, type Instant, plus } from "../time.ts";
import { findGraceHoldOfOpen, type Hold } from "./grace-hold.ts";

/**
 * Until when an open rotation waits, because a window has closed, a freeze has begun, or somebody published the other account of a pair.
 * A rotation that may have changed the account always continues.
 */
export function findHold(
  record: TargetRecord,
  rotation: Rotation,
  target: Target,
  now: Instant,
): Hold | undefined {
  const { policy } = target;
  const isFree = mayHaveChanged(rotation) || rotation.lift !== undefined;
  const hold =
    findGraceHoldOfOpen(record, rotation, target, now) ??
    (isFree ? undefined : heldByPolicy(record, rotation, policy, now));
  const held = hold && keepUnlessSooner(hold, record, policy, now);
  return held && held.until > now ? held : undefined;
}

/**
 * The record whose open rotation waits as `findHold` says; undefined when the rotation may continue.
 */
export function withHold(
  record: TargetRecord,
  target: Target,
  now: Instant,
): TargetRecord | undefined {
  const { rotation } = record;
  const hold = rotation && findHold(record, rotation, target, now);
  return (
    hold && {
      ...record,
      rotation: { ...withoutHold(rotation), nextAttemptAt: hold.until, heldBy: hold.why },
    }
  );
}

function heldByPolicy(
  record: TargetRecord,
  rotation: Rotation,
  policy: Policy,
  now: Instant,
): Hold | undefined {
  const lift = toLiftReason(rotation.reason, record);
  if (rotation.requestedBy !== schedule) return findFreezeHold(policy, lift, now);
  const isExposure = rotation.reason === "exposure";
  const variant = isExposure ? { lift, anyTime: policy.exposureIgnoresWindow ?? false } : {};
  const opening = findOpenings(policy, variant).first(-Infinity, Date.parse(now));
  if (opening && opening.from <= Date.parse(now)) return undefined;
  const next = opening ? new Date(opening.from).toISOString() : plus(now, day);
  const moments = toMoments(toFacts(record));
  const latest = findStartBeforeEnd(policy, moments, Date.parse(now)) ?? Infinity;
  const until = latest < Date.parse(next) ? new Date(latest).toISOString() : next;
  return { until, why: `policy ${policy.name}: no window is open before ${until}` };
}

/** The hold, or a shorter one if an exposure of the secret permits a rotation earlier. */
export function keepUnlessSooner(
  hold: Hold,
  record: TargetRecord,
  policy: Policy,
  now: Instant,
): Hold {
  if (!record.exposure) return hold;
  // Only the exposure may shorten the hold, not another rule that makes the target due.
  const { at, reason } = computeNextDue({ ...policy, manualOnly: true }, toFacts(record), now);
  return at === undefined || at >= hold.until ? hold : { until: at, why: reason };
}

export function findFreezeHold(policy: Policy, lift: LiftReason, now: Instant): Hold | undefined {
  const until = findFreezeEnd(policy, now, lift);
  if (until === undefined) return undefined;
  return { until, why: shorten(mayOverride(policy, now, lift).why, maxWhyLength) };
}

export function toLiftReason(reason: Reason, { exposure }: TargetRecord): LiftReason {
  if (reason !== "exposure") return "operator";
  return exposure?.kind ?? "exposure";
}

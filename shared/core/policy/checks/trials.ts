import { usualSweep } from "../../fleet/sweeps.ts";
import { day, hour } from "../../time.ts";
import type { Moments } from "../due/facts.ts";
import { decide, type Placement } from "../due/placement.ts";
import type { Freeze, Policy } from "../policy.ts";
import { findFreeze, listFrozenSpans, type Span } from "../windows/freezes.ts";
import { findOpenings } from "../windows/openings.ts";
import { type Effort, newEffort, spend } from "./effort.ts";

/** A simulated rotation. Moments are in milliseconds since the epoch. */
export interface Tried {
  /** The last change of the secret. */
  readonly changedAt: number;
  readonly due: number;
  /** Milliseconds from the due moment to the start. Infinite if it never starts, negative if it starts earlier. */
  readonly by: number;
}

/** A simulated rotation that a freeze delays. */
export interface Held extends Tried {
  readonly freeze: Freeze;
}

/** Milliseconds from the start of a rotation to the change from which the age counts. */
const rotationLength = usualSweep;
/** The positions in the spread that are simulated: the first target and the last one. */
const fractions = [0, 0.9999];
/** The number of different moments of a cycle at which targets are changed. */
const phases = 4;
/** A course ends after this time or after this number of rotations, whichever comes first. */
const courseLength = 3 * 366 * day;
const maxRotations = 400;
/** The number of moments of a freeze at which delayed rotations are searched. */
const momentsPerFreeze = 24;

/** The number of moments of a month at which a person may request a rotation. */
const requests = 150;
const requestedWithin = 31 * day;

/** Whether a rotation is late by more than an hour, which a change of the clocks can cause. */
export function isLate(policy: Policy, { by }: Pick<Tried, "by">): boolean {
  return by > computeTolerance(policy);
}

function computeTolerance({ every = hour }: Policy): number {
  return Math.min(hour, every);
}

/** Simulates the rotations by age of targets in different phases of the cycle, without freezes. */
export function* tryWindows(
  policy: Policy,
  from: number,
  effort: Effort = newEffort(),
): Generator<Tried> {
  const { every } = policy;
  if (every === undefined) return;
  const unfrozen = { ...policy, freeze: [] };
  const begins = Array.from({ length: phases }, (_, phase) => from + (phase * every) / phases);
  for (const start of new Set(begins.map((begin) => openAt(unfrozen, Math.floor(begin))))) {
    if (start === undefined) continue;
    for (const fraction of listFractions(policy))
      yield* simulateCourse(unfrozen, start, fraction, effort);
  }
}

/** Simulates one rotation after another. The age counts from the previous rotation. */
function* simulateCourse(
  policy: Policy,
  start: number,
  fraction: number,
  effort: Effort,
): Generator<Tried> {
  let changedAt = start + rotationLength;
  for (let count = 0; count < maxRotations && changedAt < start + courseLength; count++) {
    spend(effort);
    const placement = next(policy, changedAt, fraction);
    if (!placement) return;
    const { at, rule, opening } = placement;
    yield { changedAt, due: rule.due, by: at - rule.due };
    // In the middle of a long opening no rotation is late, so the course continues near its end.
    const step = at + rotationLength - changedAt;
    changedAt = Math.max(at, opening.to - 3 * step) + rotationLength;
  }
}

/** Simulates rotations that would start on time without the freeze. */
export function* tryFreezes(
  policy: Policy,
  from: number,
  effort: Effort = newEffort(),
): Generator<Held> {
  const { freeze = [], timeZone = "UTC" } = policy;
  const unfrozen = { ...policy, freeze: [] };
  for (const span of listFrozenSpans(freeze, timeZone, undefined)) {
    for (const changedAt of sampleChanges(policy, span, from)) {
      for (const fraction of listFractions(policy)) {
        spend(effort);
        const held = findDelay(policy, unfrozen, changedAt, fraction);
        if (held) yield held;
      }
    }
  }
}

/** Samples change times whose rotation may first start inside the freeze, or before it when no opening is left. */
function sampleChanges(policy: Policy, frozen: Span, from: number): number[] {
  const { every, headStart = 0 } = policy;
  const begin = Math.max(frozen.from, from);
  const opening = findOpenings({ ...policy, freeze: [] }).first(begin, begin);
  const frozenStart = opening && Math.max(opening.from, begin);
  if (frozenStart === undefined || frozenStart >= frozen.to) return [];
  // Without `every`, each appointment is due.
  if (every === undefined) return [frozenStart - 1];
  const earliest = Math.max(from, frozenStart - computeTolerance(policy)) - headStart;
  const first = findFirstDelayed(policy, begin, earliest);
  const apart = (frozen.to - first) / momentsPerFreeze;
  const changes = Array.from({ length: momentsPerFreeze }, (_, index) => {
    const due = Math.ceil(first + index * apart) + headStart;
    const start = openAt(policy, due - every - rotationLength);
    return start === undefined ? [] : [start + rotationLength];
  });
  return [...new Set(changes.flat())];
}

/** Finds the earliest moment from which a rotation has no opening left before the freeze. */
function findFirstDelayed(policy: Policy, frozenFrom: number, earliest: number): number {
  const openings = findOpenings(policy);
  const last = openings.last(earliest, frozenFrom);
  if (!last) return earliest;
  return Math.max(earliest, openings.appointments ? last.from + 1 : last.to);
}

function findDelay(
  policy: Policy,
  unfrozen: Policy,
  changedAt: number,
  fraction: number,
): Held | undefined {
  const { freeze = [], timeZone = "UTC" } = policy;
  const unfrozenStart = next(unfrozen, changedAt, fraction);
  if (!unfrozenStart) return undefined;
  const { rule, permitted } = unfrozenStart;
  const holding = findFreeze(freeze, timeZone, permitted);
  if (!holding || isLate(policy, { by: permitted - rule.due })) return undefined;
  const by = (next(policy, changedAt, fraction)?.at ?? Infinity) - rule.due;
  return isLate(policy, { by }) ? { freeze: holding, changedAt, due: rule.due, by } : undefined;
}

const nothingKnown: Moments = {
  changedAt: undefined,
  exposedAt: undefined,
  exposureBy: undefined,
  exposureKind: "exposure",
  lastUsedAt: undefined,
  adoptedAt: undefined,
  endsAt: undefined,
};

function next(policy: Policy, changedAt: number, fraction: number): Placement | undefined {
  return decide(policy, { ...nothingKnown, changedAt }, changedAt, () => fraction).chosen;
}

/** Finds the first moment, not before this one, at which a change may start. */
function openAt(policy: Policy, moment: number): number | undefined {
  const opening = findOpenings(policy).first(moment, moment);
  return opening && Math.max(opening.from, moment);
}

function listFractions({ spread = 0 }: Policy): readonly number[] {
  return spread === 0 ? [0] : fractions;
}

/**
 * Finds the longest time from a change to the next one by age or appointment, in milliseconds, with windows, freezes and the spread.
 * Undefined when the policy has neither `every` nor `cron`.
 */
export function findLongestAge(
  policy: Policy,
  from: number,
  effort: Effort = newEffort(),
): number | undefined {
  const { every } = policy;
  if (every === undefined) return findLongestGap(policy, from, effort);
  let longest = every;
  for (const trials of [tryWindows, tryFreezes, tryRequested]) {
    for (const { by } of trials(policy, from, effort)) {
      if (Number.isFinite(by)) longest = Math.max(longest, every + by);
    }
  }
  return longest;
}

/** Simulates the first rotation after one that a person requested at any time, also outside of the windows. */
function* tryRequested(policy: Policy, from: number, effort: Effort): Generator<Tried> {
  const apart = requestedWithin / requests;
  for (const fraction of listFractions(policy)) {
    for (let index = 0; index < requests; index++) {
      spend(effort);
      const changedAt = Math.floor(from + index * apart);
      const placement = next(policy, changedAt, fraction);
      if (placement)
        yield { changedAt, due: placement.rule.due, by: placement.at - placement.rule.due };
    }
  }
}

/** The longest time between two appointments. */
function findLongestGap(policy: Policy, from: number, effort: Effort): number | undefined {
  let longest: number | undefined;
  let changedAt = from;
  for (let count = 0; count < maxRotations && changedAt < from + courseLength; count++) {
    spend(effort);
    const placement = next(policy, changedAt, fractions[1] ?? 0);
    if (!placement) return longest;
    longest = Math.max(longest ?? 0, placement.at - changedAt);
    changedAt = placement.at + rotationLength;
  }
  return longest;
}

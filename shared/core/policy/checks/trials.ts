import { usualSweep } from "../../fleet/sweeps.ts";
import { day, hour } from "../../time.ts";
import type { Moments } from "../due/facts.ts";
import { decide, type Placement } from "../due/placement.ts";
import type { Freeze, Policy } from "../policy.ts";
import { freezeAt, frozenSpans, type Span } from "../windows/freezes.ts";
import { findOpenings } from "../windows/openings.ts";
import { type Effort, newEffort, spend } from "./effort.ts";

/** A rotation that was tried out. Moments in milliseconds since the epoch. */
export interface Tried {
  /** When the secret was changed whose rotation it is. */
  readonly changedAt: number;
  readonly due: number;
  /** From the due moment to the start; infinite when it never starts. Negative when it starts earlier. */
  readonly by: number;
}

/** One that a freeze keeps from starting on time. */
export interface Held extends Tried {
  readonly freeze: Freeze;
}

/** Between the start of a rotation and the moment from which its age counts. */
const rotationLength = usualSweep;
/** Where in the spread a target starts: the first and the last of them. */
const fractions = [0, 0.9999];
/** Targets are changed at different moments of a cycle. */
const phases = 4;
/** A course is followed for so long, and for so many rotations, whichever ends first. */
const courseLength = 3 * 366 * day;
const mostRotations = 400;
/** Rotations that a freeze may hold back are looked for at so many moments of it. */
const momentsOfFreeze = 24;

/** An hour more or less is what clocks do by themselves. */
export function isLate(policy: Policy, { by }: Pick<Tried, "by">): boolean {
  return by > computeTolerance(policy);
}

function computeTolerance({ every = hour }: Policy): number {
  return Math.min(hour, every);
}

/** Rotations by age as they follow each other, of targets in different phases of the cycle, were there no freezes. */
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

/** One rotation after the other, each counted from the one before. */
function* simulateCourse(
  policy: Policy,
  start: number,
  fraction: number,
  effort: Effort,
): Generator<Tried> {
  let changedAt = start + rotationLength;
  for (let count = 0; count < mostRotations && changedAt < start + courseLength; count++) {
    spend(effort);
    const placement = next(policy, changedAt, fraction);
    if (!placement) return;
    const { at, claim, opening } = placement;
    yield { changedAt, due: claim.due, by: at - claim.due };
    // In the middle of a long opening nothing comes late; at its end, if it has one, something may.
    const step = at + rotationLength - changedAt;
    changedAt = Math.max(at, opening.to - 3 * step) + rotationLength;
  }
}

/** Rotations that would start on time but for a freeze. */
export function* tryFreezes(
  policy: Policy,
  from: number,
  effort: Effort = newEffort(),
): Generator<Held> {
  const { freeze = [], timeZone = "UTC" } = policy;
  const unfrozen = { ...policy, freeze: [] };
  for (const span of frozenSpans(freeze, timeZone, undefined)) {
    for (const changedAt of changesBefore(policy, span, from)) {
      for (const fraction of listFractions(policy)) {
        spend(effort);
        const held = heldBack(policy, unfrozen, changedAt, fraction);
        if (held) yield held;
      }
    }
  }
}

/** When secrets may have been changed that are due from `from` on, in a time in which nothing starts. */
function changesBefore(policy: Policy, frozen: Span, from: number): number[] {
  const { every, headStart = 0 } = policy;
  const begin = Math.max(frozen.from, from);
  const opening = findOpenings({ ...policy, freeze: [] }).first(begin, begin);
  const wanted = opening && Math.max(opening.from, begin);
  if (wanted === undefined || wanted >= frozen.to) return [];
  // Without an age each appointment is due by itself.
  if (every === undefined) return [wanted - 1];
  const earliest = Math.max(from, wanted - computeTolerance(policy)) - headStart;
  const first = firstHeld(policy, begin, earliest);
  const apart = (frozen.to - first) / momentsOfFreeze;
  const changes = Array.from({ length: momentsOfFreeze }, (_, index) => {
    const due = Math.ceil(first + index * apart) + headStart;
    const start = openAt(policy, due - every - rotationLength);
    return start === undefined ? [] : [start + rotationLength];
  });
  return [...new Set(changes.flat())];
}

/** What may start from this moment on, and not earlier, has no opening left before the freeze. */
function firstHeld(policy: Policy, frozenFrom: number, earliest: number): number {
  const openings = findOpenings(policy);
  const last = openings.last(earliest, frozenFrom);
  if (!last) return earliest;
  return Math.max(earliest, openings.appointments ? last.from + 1 : last.to);
}

function heldBack(
  policy: Policy,
  unfrozen: Policy,
  changedAt: number,
  fraction: number,
): Held | undefined {
  const { freeze = [], timeZone = "UTC" } = policy;
  const wanted = next(unfrozen, changedAt, fraction);
  if (!wanted) return undefined;
  const { claim, permitted } = wanted;
  const holding = freezeAt(freeze, timeZone, permitted);
  if (!holding || isLate(policy, { by: permitted - claim.due })) return undefined;
  const by = (next(policy, changedAt, fraction)?.at ?? Infinity) - claim.due;
  return isLate(policy, { by }) ? { freeze: holding, changedAt, due: claim.due, by } : undefined;
}

const nothingKnown: Moments = {
  changedAt: undefined,
  exposedAt: undefined,
  exposureBy: undefined,
  exposureKind: "exposure",
  lastUsedAt: undefined,
  adoptedAt: undefined,
};

function next(policy: Policy, changedAt: number, fraction: number): Placement | undefined {
  return decide(policy, { ...nothingKnown, changedAt }, changedAt, () => fraction).chosen;
}

/** The first moment from this one on at which a change may start. */
function openAt(policy: Policy, moment: number): number | undefined {
  const opening = findOpenings(policy).first(moment, moment);
  return opening && Math.max(opening.from, moment);
}

function listFractions({ spread = 0 }: Policy): readonly number[] {
  return spread === 0 ? [0] : fractions;
}

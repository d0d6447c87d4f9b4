import { whyNever } from "../policy/explain.ts";
import { type Moments, momentsOf } from "../policy/facts.ts";
import { decide, spreadOf } from "../policy/placement.ts";
import { type Instant, minute, second } from "../time.ts";
import { clockChangesFor } from "./clocks.ts";
import { collisionsOf } from "./collisions.ts";
import type { Limits, SimulatedRotation, SimulatedTarget, Simulation, TooOld } from "./plan.ts";

/** Milliseconds from the start of a rotation to the moment from which the new secret's age counts. */
const rotationLength = minute;

/**
 * Every rotation that happens from `from` until before `to`, if nothing fails and nobody asks for one. What is known of
 * the targets is true at `knownAt`; when that is earlier, time is played from there, and shown from `from`.
 */
export function simulate(
  targets: readonly SimulatedTarget[],
  from: Instant,
  to: Instant,
  limits: Limits,
  knownAt: Instant = from,
): Simulation {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const begin = Math.min(start, Date.parse(knownAt));
  const rotations: SimulatedRotation[] = [];
  const never: { targetId: string; why: string }[] = [];
  const tooOld: TooOld[] = [];
  for (const target of targets) {
    const course = courseOf(target, begin, end);
    for (const rotation of course.rotations) if (rotation.at >= start) rotations.push(rotation);
    if (course.never !== undefined) never.push({ targetId: target.id, why: course.never });
    for (const one of agesOf(target, course.rotations, start, end)) tooOld.push(one);
  }
  rotations.sort((a, b) => a.at - b.at || (a.target.id < b.target.id ? -1 : 1));
  const collisions = collisionsOf(rotations, limits);
  const clockChanges = clockChangesFor(targets, rotations, start, end);
  const targetIds = targets.map(({ id }) => id);
  return { from, to, targetIds, rotations, never, tooOld, collisions, clockChanges };
}

interface Course {
  readonly rotations: readonly SimulatedRotation[];
  /** Why there will not be another one, ever. */
  readonly never?: string;
}

function courseOf(target: SimulatedTarget, start: number, end: number): Course {
  const { id, policy, facts } = target;
  const fraction = spreadOf(id);
  const rotations: SimulatedRotation[] = [];
  let moments = momentsOf({ ...facts, targetId: id });
  let now = start;
  for (;;) {
    const { chosen, lost } = decide(policy, moments, now, () => fraction);
    if (chosen === undefined) {
      return rotations.length > 0 ? { rotations } : { rotations, never: whyNever(policy, lost) };
    }
    const at = Math.max(chosen.at, now);
    if (at >= end) return { rotations };
    rotations.push({ target, at, after: moments.changedAt, placement: chosen });
    now = at + second;
    moments = afterChange(moments, at);
  }
}

function afterChange(moments: Moments, at: number): Moments {
  return { ...moments, changedAt: at + rotationLength };
}

function agesOf(
  { id, policy, facts }: SimulatedTarget,
  rotations: readonly SimulatedRotation[],
  start: number,
  end: number,
): TooOld[] {
  const { every } = policy;
  if (every === undefined) return [];
  const known = facts.changedAt ?? facts.adoptedAt;
  const found: TooOld[] = [];
  let changed = known === undefined ? undefined : Date.parse(known);
  for (const at of [...rotations.map((rotation) => rotation.at), end]) {
    const since = changed === undefined ? undefined : Math.max(start, changed + every);
    if (since !== undefined && since < at) {
      found.push({ targetId: id, since: instant(since), until: instant(at) });
    }
    changed = at + rotationLength;
  }
  return found;
}

function instant(milliseconds: number): Instant {
  return new Date(milliseconds).toISOString();
}

import type { Policy } from "../policy.ts";
import { reasonOf, whyNever } from "../policy/explain.ts";
import { type Facts, type Moments, momentsOf } from "../policy/facts.ts";
import { decide, type Placement, spreadOf } from "../policy/placement.ts";
import { type Instant, minute, second } from "../time.ts";
import { type ClockChange, clockChangesFor } from "./clocks.ts";
import { type Collision, collisionsOf, type Limits } from "./collisions.ts";

/** One target as the simulation needs it. */
export interface SimulatedTarget {
  readonly id: string;
  readonly policy: Policy;
  /** What the journal knows now. */
  readonly facts: Omit<Facts, "targetId">;
  readonly vault: string;
  /** Where the target is, if it is anywhere. */
  readonly server?: string;
}

/** A rotation that will happen. Moments in milliseconds since the epoch. */
export interface SimulatedRotation {
  readonly target: SimulatedTarget;
  readonly at: number;
  /** The change before it; what makes it the same rotation in two simulations. */
  readonly after: number | undefined;
  readonly placement: Placement;
}

/** A secret that is older than its policy allows, from `since` until it is changed or the simulation ends. */
export interface TooOld {
  readonly targetId: string;
  readonly since: Instant;
  readonly until: Instant;
}

export interface Simulation {
  readonly from: Instant;
  readonly to: Instant;
  /** In the order in which they start. */
  readonly rotations: readonly SimulatedRotation[];
  readonly never: readonly { readonly targetId: string; readonly why: string }[];
  readonly tooOld: readonly TooOld[];
  readonly collisions: readonly Collision[];
  readonly clockChanges: readonly ClockChange[];
}

/** Milliseconds from the start of a rotation to the moment from which the new secret's age counts. */
const rotationLength = minute;

/** Every rotation that happens from `from` until before `to`, if nothing fails and nobody asks for one. */
export function simulate(
  targets: readonly SimulatedTarget[],
  from: Instant,
  to: Instant,
  limits: Limits,
): Simulation {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const rotations: SimulatedRotation[] = [];
  const never: { targetId: string; why: string }[] = [];
  const tooOld: TooOld[] = [];
  for (const target of targets) {
    const course = courseOf(target, start, end);
    for (const rotation of course.rotations) rotations.push(rotation);
    if (course.never !== undefined) never.push({ targetId: target.id, why: course.never });
    for (const one of agesOf(target, course.rotations, start, end)) tooOld.push(one);
  }
  rotations.sort((a, b) => a.at - b.at || (a.target.id < b.target.id ? -1 : 1));
  const collisions = collisionsOf(rotations, limits);
  const clockChanges = clockChangesFor(targets, rotations, start, end);
  return { from, to, rotations, never, tooOld, collisions, clockChanges };
}

/** Such as `policy nights: 90d after …, moved to the window on …`. */
export function whyOf({ target, placement }: SimulatedRotation): string {
  return `policy ${target.policy.name}: ${reasonOf(target.policy, placement)}`;
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

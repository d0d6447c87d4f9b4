import { whyNever } from "../policy/explain.ts";
import { type Moments, momentsOf } from "../policy/facts.ts";
import { decide, spreadOf } from "../policy/placement.ts";
import { type Instant, instantAt, minute, second } from "../time.ts";
import { ConfigError } from "../errors.ts";
import { entropyBits } from "../password.ts";
import { clockChangesFor } from "./clocks.ts";
import { collisionsOf } from "./collisions.ts";
import type {
  Limits,
  PlannedTarget,
  PolicyUse,
  SimulatedRotation,
  SimulatedTarget,
  Simulation,
  TooOld,
} from "./plan.ts";

/** Milliseconds from the start of a rotation to the moment from which the new secret's age counts. */
const rotationLength = minute;

/**
 * Every rotation that happens from `from` until before `to`, if nothing fails and nobody asks for one. What is known of
 * the targets is true at `knownAt`; when that is earlier, time is played from there, and shown from `from`. Throws
 * ConfigError when more than `most` rotations were to be played.
 */
export function simulate(
  targets: readonly SimulatedTarget[],
  from: Instant,
  to: Instant,
  limits: Limits,
  knownAt: Instant = from,
  most = Infinity,
): Simulation {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const begin = Math.min(start, Date.parse(knownAt));
  const rotations: SimulatedRotation[] = [];
  const planned: PlannedTarget[] = [];
  const never: { targetId: string; why: string }[] = [];
  const tooOld: TooOld[] = [];
  let played = 0;
  for (const target of targets) {
    const course = courseOf(target, begin, end, most - played);
    played += course.rotations.length;
    const shown = course.rotations.filter(({ at }) => at >= start);
    for (const rotation of shown) rotations.push(rotation);
    const next = shown[0] ?? course.beyond;
    planned.push({ id: target.id, ...(next && { next }) });
    if (course.never !== undefined) never.push({ targetId: target.id, why: course.never });
    for (const one of agesOf(target, course.rotations, start, end)) tooOld.push(one);
  }
  rotations.sort((a, b) => a.at - b.at || (a.target.id < b.target.id ? -1 : 1));
  const collisions = collisionsOf(rotations, limits);
  const clockChanges = clockChangesFor(targets, rotations, start, end);
  const policies = usesOf(targets);
  const what = { targets: planned, policies, rotations, never, tooOld };
  return { from, to, ...what, limits, collisions, clockChanges };
}

/** Targets with passwords of their own are counted apart. */
function usesOf(targets: readonly SimulatedTarget[]): PolicyUse[] {
  const uses = new Map<string, PolicyUse>();
  for (const { policy } of targets) {
    const bits = entropyBits(policy.password);
    const key = `${policy.name}/${bits}`;
    const count = (uses.get(key)?.targets ?? 0) + 1;
    uses.set(key, { name: policy.name, targets: count, entropyBits: bits });
  }
  return [...uses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
}

interface Course {
  readonly rotations: readonly SimulatedRotation[];
  /** The first one that does not start before the end. */
  readonly beyond?: SimulatedRotation;
  /** Why there will not be another one, ever. */
  readonly never?: string;
}

function courseOf(target: SimulatedTarget, start: number, end: number, most: number): Course {
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
    const rotation = { target, at, after: moments.changedAt, placement: chosen };
    if (at >= end) return { rotations, beyond: rotation };
    if (rotations.length >= most) throw tooMany();
    rotations.push(rotation);
    now = at + second;
    moments = afterChange(moments, at);
  }
}

function tooMany(): ConfigError {
  return new ConfigError(
    "there are too many rotations until the end of this time; ask for less of it",
  );
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
      found.push({ targetId: id, since: instantAt(since), until: instantAt(at) });
    }
    changed = at + rotationLength;
  }
  return found;
}

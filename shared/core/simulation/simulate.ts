import { ConfigError } from "../errors.ts";
import { computeAgeDelay, usualRotation, usualSweep } from "../fleet/sweeps.ts";
import { explainNever } from "../policy/due/explain.ts";
import { toMoments } from "../policy/due/facts.ts";
import { computeSpread, decide, type Decision } from "../policy/due/placement.ts";
import { findFreezeEnd } from "../policy/due/schedule.ts";
import type { Policy } from "../policy/policy.ts";
import { findOpenings } from "../policy/windows/openings.ts";
import { findUnforcedPause, notBeforePause, type Pause } from "../record/pause.ts";
import type { DatedRequest } from "../record/record.ts";
import { countEntropyBits, type PasswordRules } from "../secrets/password.ts";
import { type Instant, second, toInstantAt } from "../time.ts";
import { runAtOnce, sortInSteps, type Steps } from "../work-in-steps.ts";
import { listClockChanges } from "./clocks.ts";
import { findCollisions } from "./collisions.ts";
import type {
  Limits,
  PlannedTarget,
  PolicyUse,
  SimulatedRotation,
  SimulatedTarget,
  Simulation,
  TooOld,
} from "./model.ts";

/** When a simulation stops. It counts rotations and not time, so that the result is the same on every machine. */
export interface PlanBudget {
  /** The maximum number of rotations in a plan. */
  readonly rotations: number;
  /** The number of rotations after which the simulation stops counting. */
  readonly counted: number;
}

const noBudget: PlanBudget = { rotations: Infinity, counted: Infinity };

export interface SimulationWanted {
  readonly from: Instant;
  readonly to: Instant;
  readonly limits: Limits;
  /** When the facts were true. Absent: `from`. */
  readonly knownAt?: Instant;
  /** Absent: no budget. */
  readonly budget?: PlanBudget;
  /** Milliseconds between sweeps. Absent: the usual interval. */
  readonly sweepEvery?: number;
}

/** Simulates without pauses. */
export function simulate(
  targets: readonly SimulatedTarget[],
  wanted: SimulationWanted,
): Simulation {
  return runAtOnce(simulateInSteps(targets, wanted));
}

/**
 * Simulates every rotation from `from` until before `to`, without failures and requests. The facts of the targets are true at
 * `knownAt`. If that is before `from`, the simulation begins there. Throws ConfigError with the number of rotations if it
 * exceeds the budget.
 */
export function* simulateInSteps(
  targets: readonly SimulatedTarget[],
  {
    from,
    to,
    limits,
    knownAt = from,
    budget = noBudget,
    sweepEvery = usualSweep,
  }: SimulationWanted,
): Steps<Simulation> {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  const begin = Math.min(start, Date.parse(knownAt));
  const byTarget: { readonly id: string; readonly shown: readonly SimulatedRotation[] }[] = [];
  const planned: PlannedTarget[] = [];
  const never: { targetId: string; why: string }[] = [];
  const tooOld: TooOld[] = [];
  const count = { played: 0, budget, sweepEvery, asked: { targets: targets.length, from, to } };
  for (const target of targets) {
    const course = yield* simulateTarget(target, begin, end, count);
    if (count.played > budget.rotations) continue;
    const shown = course.rotations.filter(({ at }) => at >= start);
    byTarget.push({ id: target.id, shown });
    const next = shown[0] ?? course.beyond;
    planned.push({ id: target.id, ...(next && { next }) });
    if (course.never !== undefined) never.push({ targetId: target.id, why: course.never });
    for (const one of computeAges(target, course.rotations, [start, end], sweepEvery))
      tooOld.push(one);
  }
  if (count.played > budget.rotations) throw tooMany(count);
  const all = byTarget.sort((a, b) => (a.id < b.id ? -1 : 1)).flatMap(({ shown }) => shown);
  const rotations = yield* sortInSteps(all, ({ at }) => at);
  const collisions = yield* findCollisions(rotations, limits);
  const clockChanges = yield* listClockChanges(targets, rotations, start, end);
  const policies = yield* listUses(targets);
  const what = { targets: planned, policies, rotations, never, tooOld };
  return { from, to, ...what, limits, collisions, clockChanges };
}

/** Counts targets by policy. Targets that override the password rules are counted separately. */
function* listUses(targets: readonly SimulatedTarget[]): Steps<PolicyUse[]> {
  const uses = new Map<string, PolicyUse>();
  const bitsOf = new Map<PasswordRules, number>();
  for (const { policy } of targets) {
    const bits = bitsOf.get(policy.password) ?? countEntropyBits(policy.password);
    bitsOf.set(policy.password, bits);
    const key = `${policy.name}/${bits}`;
    const count = (uses.get(key)?.targets ?? 0) + 1;
    uses.set(key, { name: policy.name, targets: count, entropyBits: bits });
    yield;
  }
  return [...uses].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, use]) => use);
}

/** The simulated rotations of a target. */
interface Count {
  played: number;
  readonly budget: PlanBudget;
  readonly sweepEvery: number;
  readonly asked: { readonly targets: number; readonly from: Instant; readonly to: Instant };
}

interface Course {
  readonly rotations: readonly SimulatedRotation[];
  /** The first rotation that does not start before the end. */
  readonly beyond?: SimulatedRotation;
  /** Why no further rotation follows. */
  readonly never?: string;
}

/** Rotations beyond the budget are counted but not stored. */
function* simulateTarget(
  target: SimulatedTarget,
  start: number,
  end: number,
  count: Count,
): Steps<Course> {
  const { id, policy, facts, lifetime } = target;
  const fraction = computeSpread(id);
  let pause = findUnforcedPause(target, target.force);
  const rotations: SimulatedRotation[] = [];
  let moments = toMoments({ ...facts, targetId: id });
  let now = start;
  let hasPlayed = false;
  let dated = target.dated ?? [];
  for (;;) {
    yield;
    const decideAt = (moment: number) => decide(policy, moments, moment, () => fraction);
    const { isPaused, ...decision } = decideAfterPause(decideAt, now, pause);
    now = decision.now;
    const { chosen, lost } = decision;
    const next = findNextStart(target, { chosen, dated, now });
    if (next === undefined) {
      return hasPlayed ? { rotations } : { rotations, never: explainNever(policy, lost) };
    }
    const { at } = next;
    const rotation = {
      ...{ target, after: moments.changedAt, ...next },
      ...(isPaused && pause && next.dated === undefined && { pause }),
    };
    if (at >= end) return { rotations, beyond: rotation };
    count.played++;
    hasPlayed = true;
    if (count.played > count.budget.counted) throw tooMany(count, { targetId: id, at });
    if (count.played <= count.budget.rotations) rotations.push(rotation);
    now = at + second;
    // The force is that of one retry.
    pause = target.pause;
    dated = dated.filter(({ notBefore }) => Date.parse(notBefore) > at);
    const changedAt = at + computeDelay(policy, at, count.sweepEvery);
    const endsAt = lifetime === undefined ? undefined : changedAt + lifetime;
    moments = { ...moments, changedAt, endsAt };
  }
}

interface Candidates extends Pick<Decision, "chosen"> {
  readonly dated: readonly DatedRequest[];
  readonly now: number;
}

type NextStart = Pick<SimulatedRotation, "at" | "placement" | "dated">;

/** The next rotation of the policy, or the one that a person scheduled, whichever starts first. */
function findNextStart(
  target: SimulatedTarget,
  { chosen, dated, now }: Candidates,
): NextStart | undefined {
  const planned = chosen && { at: Math.max(chosen.at, now), placement: chosen };
  const scheduled = dated.map((one) => ({
    at: Math.max(findDatedStart(target, one), now),
    dated: one,
  }));
  return [...scheduled, ...(planned ? [planned] : [])].reduce<NextStart | undefined>(
    (first, one) => (first === undefined || one.at < first.at ? one : first),
    undefined,
  );
}

/** Freezes and the pause delay a scheduled rotation, unless they are lifted for it. */
function findDatedStart(target: SimulatedTarget, { notBefore, lift, force }: DatedRequest): number {
  const paused = notBeforePause(notBefore, target, force);
  const frozen = lift === undefined ? findFreezeEnd(target.policy, paused, "operator") : undefined;
  return Date.parse(frozen ?? paused);
}

/** When a pause ends, the policy decides again. */
function decideAfterPause(
  decideAt: (moment: number) => Decision,
  now: number,
  pause: Pause | undefined,
) {
  const pausedUntil = pause ? Date.parse(pause.until) : -Infinity;
  const wanted = decideAt(now);
  const isPaused = wanted.chosen !== undefined && wanted.chosen.at < pausedUntil;
  if (!isPaused) return { ...wanted, now, isPaused };
  const end = Math.max(now, pausedUntil);
  return { ...decideAt(end), now: end, isPaused };
}

/** Returns the milliseconds from the start of a rotation to the moment from which the age of the new secret counts. */
function computeDelay(policy: Policy, at: number, sweepEvery: number): number {
  if (policy.every !== undefined || policy.cron === undefined)
    return computeAgeDelay(policy.every ?? sweepEvery, sweepEvery);
  const next = findOpenings(policy).first(at + 1, at + 1);
  // A rotation ends before the next sweep.
  return next && next.from <= at + sweepEvery ? usualRotation : sweepEvery;
}

/** The error with the number of rotations, and how to reduce it. */
function tooMany(
  { played, budget, asked }: Count,
  reached?: { readonly targetId: string; readonly at: number },
): ConfigError {
  const number = (count: number) => count.toLocaleString("en-US");
  const limit = number(budget.rotations);
  const summary = reached
    ? `The period has too many rotations (more than ${number(budget.counted)}; limit ${limit}).`
    : `The period has ${number(played)} rotations; the limit is ${limit}.`;
  const targets = asked.targets === 1 ? "1 target" : `${number(asked.targets)} targets`;
  const stopped = reached
    ? ` Counting stopped at target ${reached.targetId}, ${toInstantAt(reached.at)}.`
    : "";
  const sentences = [
    summary,
    ` Requested: ${targets} from ${asked.from} to ${asked.to}.${stopped}`,
    " Use an earlier `to`, or filter with `targets`",
  ];
  return new ConfigError(sentences.join(""));
}

function computeAges(
  { id, policy, facts }: SimulatedTarget,
  rotations: readonly SimulatedRotation[],
  [start, end]: readonly [number, number],
  sweepEvery: number,
): TooOld[] {
  const { every } = policy;
  if (every === undefined) return [];
  const known = facts.changedAt ?? facts.adoptedAt;
  const found: TooOld[] = [];
  let changed = known === undefined ? undefined : Date.parse(known);
  for (const at of [...rotations.map((rotation) => rotation.at), end]) {
    const since = changed === undefined ? undefined : Math.max(start, changed + every);
    if (since !== undefined && since < at) {
      found.push({ targetId: id, since: toInstantAt(since), until: toInstantAt(at) });
    }
    changed = at + computeAgeDelay(every, sweepEvery);
  }
  return found;
}

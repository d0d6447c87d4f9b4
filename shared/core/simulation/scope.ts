import { ConfigError } from "../errors.ts";
import { nearestTo } from "../nearest.ts";
import { matchesGlob } from "../policy/glob.ts";
import { atOnce, mapInSteps, type Steps } from "../steps.ts";
import type { Target } from "../target.ts";
import { day, type Instant, plus } from "../time.ts";
import { defaultLimits } from "./limits.ts";
import type { Limits, SimulatedTarget, Simulation } from "./model.ts";
import { type PlanBudget, simulateInSteps } from "./simulate.ts";

/** Of what a plan is made. */
export interface PlanScope {
  /** Now, when absent. */
  readonly from?: Instant;
  /** Ninety days after `from`, when absent. */
  readonly to?: Instant;
  /** Ids of targets; `*` stands for any characters, `?` for one. All, when absent. */
  readonly targets?: string;
  /** The usual ones, when absent. */
  readonly limits?: Partial<Limits>;
}

/** What is known of the targets, and by whom. */
export interface PlanKnowledge {
  readonly now: Instant;
  /** How a target stands; undefined when nobody knows it. */
  readonly factsOf: (targetId: string) => SimulatedTarget["facts"] | undefined;
  readonly serverOf: (target: Target) => string;
  /** When the simulation stops; never, when absent. */
  readonly budget?: PlanBudget;
  /** Milliseconds between sweeps; the usual ones, when absent. */
  readonly sweepEvery?: number;
}

/** More than a quarter: the end itself is not shown, and a password that may be 90 days old is rotated after 90 days. */
export const usualLength = 100 * day;

/** Characters of a pattern that are repeated to whoever wrote it; ids are shorter. */
const longestPattern = 100;

/** Throws ConfigError when no target on any side matches: a mistyped pattern must not look like an empty plan. */
export function requireMatch(
  { targets: pattern }: PlanScope,
  ...sides: readonly (readonly Target[])[]
): void {
  const ids = [...new Set(sides.flat().map(({ id }) => id))];
  if (pattern === undefined || ids.some((id) => matchesGlob(pattern, id))) return;
  const near = nearestTo(pattern.slice(0, longestPattern), ids);
  const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
  throw new ConfigError(
    `No target matches ${JSON.stringify(pattern.slice(0, longestPattern))}${hint}`,
  );
}

/** Plays the time for targets as they stand; one that nobody knows as if it were adopted now. Throws ConfigError. */
export function simulateTargets(
  targets: readonly Target[],
  scope: PlanScope,
  knowledge: PlanKnowledge,
): Simulation {
  return atOnce(simulateTargetsInSteps(targets, scope, knowledge));
}

export function* simulateTargetsInSteps(
  targets: readonly Target[],
  { from, to, targets: pattern = "*", limits }: PlanScope,
  { now, factsOf, serverOf, budget, sweepEvery }: PlanKnowledge,
): Steps<Simulation> {
  const wanted = targets.filter(({ id }) => matchesGlob(pattern, id));
  const simulated = yield* mapInSteps(wanted, (target): SimulatedTarget => ({
    id: target.id,
    policy: target.policy,
    facts: factsOf(target.id) ?? { adoptedAt: now },
    vault: target.publish.vault,
    server: serverOf(target),
  }));
  const begin = from ?? now;
  return yield* simulateInSteps(simulated, {
    from: begin,
    to: to ?? plus(begin, usualLength),
    limits: { ...defaultLimits, ...limits },
    knownAt: now,
    ...(budget && { budget }),
    ...(sweepEvery !== undefined && { sweepEvery }),
  });
}

import { ConfigError } from "../errors.ts";
import { findNearestToPattern } from "../nearest.ts";
import { matchesGlob } from "../policy/glob.ts";
import type { Force, Pause } from "../record/pause.ts";
import type { Target } from "../target.ts";
import { day, type Instant, plus } from "../time.ts";
import { mapInSteps, runAtOnce, type Steps } from "../work-in-steps.ts";
import { defaultLimits } from "./limits.ts";
import type { Limits, SimulatedTarget, Simulation } from "./model.ts";
import { type PlanBudget, simulateInSteps } from "./simulate.ts";

/** The targets and the period of a plan. */
export interface PlanScope {
  /** Absent: now. */
  readonly from?: Instant;
  /** Absent: `usualLength` after `from`. */
  readonly to?: Instant;
  /** A pattern for ids of targets. `*` matches any characters, `?` matches one. Absent: all targets. */
  readonly targets?: string;
  /** Absent: the default limits. */
  readonly limits?: Partial<Limits>;
}

/** The sources from which a plan is made. */
export interface PlanKnowledge {
  readonly now: Instant;
  /** Returns the facts of a target. Undefined for an unknown target. */
  readonly factsOf: (targetId: string) => SimulatedTarget["facts"] | undefined;
  readonly serverOf: (target: Target) => string;
  /** Returns the pause of a target that is in force. Absent: no target is paused. */
  readonly pauseOf?: (targetId: string) => Pause | undefined;
  /** Returns the force of the retry that the policy begins next. Absent: none. */
  readonly forceOf?: (targetId: string) => Force | undefined;
  /** Returns the rotations of a target that people scheduled for a date. Absent: none. */
  readonly datedOf?: (targetId: string) => SimulatedTarget["dated"];
  /** When the simulation stops. Absent: never. */
  readonly budget?: PlanBudget;
  /** Milliseconds between sweeps. Absent: the usual interval. */
  readonly sweepEvery?: number;
}

/** Longer than 90 days, so that a plan shows the rotation of a password with `every: 90d`. The end itself is not shown. */
export const usualLength = 100 * day;

/** Characters of a pattern that the message quotes. Ids are shorter. */
const maxQuotedLength = 100;

/** Throws ConfigError if no target on any side matches, because a mistyped pattern must not look like an empty plan. */
export function requireMatch(
  { targets: pattern }: PlanScope,
  ...sides: readonly (readonly Target[])[]
): void {
  const ids = [...new Set(sides.flat().map(({ id }) => id))];
  if (pattern === undefined || ids.some((id) => matchesGlob(pattern, id))) return;
  const near = findNearestToPattern(pattern.slice(0, maxQuotedLength), ids);
  const hint = near === undefined ? "" : ` (did you mean "${near}"?)`;
  throw new ConfigError(
    `No target matches ${JSON.stringify(pattern.slice(0, maxQuotedLength))}${hint}`,
  );
}

/** Simulates targets from their current state. An unknown target counts as adopted now. Throws ConfigError. */
export function simulateTargets(
  targets: readonly Target[],
  scope: PlanScope,
  knowledge: PlanKnowledge,
): Simulation {
  return runAtOnce(simulateTargetsInSteps(targets, scope, knowledge));
}

export function* simulateTargetsInSteps(
  targets: readonly Target[],
  { from, to, targets: pattern = "*", limits }: PlanScope,
  knowledge: PlanKnowledge,
): Steps<Simulation> {
  const { now, factsOf, serverOf, pauseOf, forceOf, datedOf, budget, sweepEvery } = knowledge;
  const selected = targets.filter(({ id }) => matchesGlob(pattern, id));
  const simulated = yield* mapInSteps(selected, (target): SimulatedTarget => {
    const pause = pauseOf?.(target.id);
    const force = forceOf?.(target.id);
    const dated = datedOf?.(target.id);
    return {
      id: target.id,
      policy: target.policy,
      facts: factsOf(target.id) ?? { adoptedAt: now },
      vault: target.publish.vault,
      server: serverOf(target),
      ...(target.lifetime !== undefined && { lifetime: target.lifetime }),
      ...(target.origin === "people" && { isFromPeople: true }),
      ...(pause && { pause }),
      ...(force && { force }),
      ...(dated && { dated }),
    };
  });
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

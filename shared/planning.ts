import type { Config } from "./config/config.ts";
import { formatProblem } from "./config/problems.ts";
import { type FreezeEffect, withFreezes } from "./core/freezes/operator-freeze.ts";
import type { Pause } from "./core/record/pause.ts";
import { compare } from "./core/simulation/compare.ts";
import type { PlanFormat } from "./core/simulation/formats.ts";
import type { SimulatedTarget } from "./core/simulation/model.ts";
import { renderComparisonAs, renderPlan } from "./core/simulation/render.ts";
import {
  type PlanScope,
  requireMatch,
  simulateTargets,
  usualLength,
} from "./core/simulation/scope.ts";
import type { PlanBudget } from "./core/simulation/simulate.ts";
import type { Target } from "./core/target.ts";
import { type Instant, plus } from "./core/time.ts";

/** The question to `planFiles`: the input of a plan, and its output format. */
export interface PlanQuestion extends PlanScope {
  /** The file or folder of the configuration. */
  readonly config: string;
  /** The file or folder of an edited configuration. If set, the plan shows what the edit changes. */
  readonly against?: string;
  readonly format: PlanFormat;
  /** What a running app knows. Absent: each target counts as adopted now, and nothing is paused or frozen. */
  readonly known?: AppState;
}

export interface PlanAnswer {
  readonly text: string;
  /** The warnings of the configuration check. */
  readonly warnings: readonly string[];
}

export interface PlanMeans {
  readonly load: (path: string) => Promise<Config>;
  readonly serverOf: (target: Target) => string;
  readonly now: Instant;
}

/** The state of a running app that a plan takes into account. */
export interface AppState {
  /** By the id of the target. */
  readonly targets: ReadonlyMap<string, KnownTarget>;
  /** The freezes that people set and that have not ended. */
  readonly freezes: readonly FreezeEffect[];
}

export interface KnownTarget {
  /** Absent: the target is not adopted yet. */
  readonly facts?: SimulatedTarget["facts"];
  /** The pause in force. */
  readonly pause?: Pause;
}

/** A command has its own process, so it may use more memory and time than a request to the app. */
const commandLineBudget: PlanBudget = { rotations: 500_000, counted: 1_500_000 };

/** Simulates the configured targets without contacting Azure. Throws ConfigProblemsError and ConfigError. */
export async function planFiles(
  question: PlanQuestion,
  { load, serverOf, now }: PlanMeans,
): Promise<PlanAnswer> {
  const { known, against, format } = question;
  const before = await load(question.config);
  const after = against === undefined ? undefined : await load(against);
  requireMatch(question, before.targets, after?.targets ?? []);
  const knowledge = {
    now,
    serverOf,
    factsOf: (id: string) => known?.targets.get(id)?.facts,
    pauseOf: (id: string) => known?.targets.get(id)?.pause,
    budget: commandLineBudget,
  };
  const to = question.to ?? plus(question.from ?? now, usualLength);
  const simulated = ({ targets }: Config) => {
    const frozen = targets.map((target) => withFreezes(target, known?.freezes ?? []));
    return simulateTargets(frozen, { ...question, to }, knowledge);
  };
  if (!after) {
    const text = renderPlan(simulated(before), format, now);
    return { text, warnings: before.warnings.map(formatProblem) };
  }
  const comparison = compare(simulated(before), simulated(after), now);
  const text = renderComparisonAs(comparison, format);
  return { text, warnings: after.warnings.map(formatProblem) };
}

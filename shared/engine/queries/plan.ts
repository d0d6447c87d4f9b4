import { toFacts } from "../../core/record/due.ts";
import { compareInSteps } from "../../core/simulation/compare.ts";
import type { PlanFormat } from "../../core/simulation/formats.ts";
import { comparisonInSteps, planInSteps } from "../../core/simulation/render.ts";
import {
  type PlanKnowledge,
  type PlanScope,
  simulateTargetsInSteps,
} from "../../core/simulation/scope.ts";
import type { PlanBudget } from "../../core/simulation/simulate.ts";
import { inSlices, type Steps } from "../../core/steps.ts";
import type { Target } from "../../core/target.ts";
import { toInstant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";

/** What a plan is to show. */
export interface PlanOptions extends PlanScope {
  readonly format: PlanFormat;
}

/** An edited configuration that a plan is made of for comparison. */
export interface Edited {
  readonly targets: readonly Target[];
  /** What its check found worth a second look. */
  readonly warnings: readonly string[];
}

type PlanPorts = Pick<Ports, "journal" | "rotator" | "sweepEvery">;

/** A plan is made by a process that has other work to do: with so many rotations it takes a second or two, in slices. */
const budget: PlanBudget = { rotations: 100_000, counted: 200_000 };

/**
 * Every rotation to come as the configuration and the journal have it, if nothing fails and nobody asks for one. Throws
 * ConfigError when there are more than a plan may have.
 */
export async function makePlan(
  ports: PlanPorts,
  targets: readonly Target[],
  wanted: PlanOptions,
): Promise<string> {
  const knowledge = await readKnowledge(ports);
  const simulation = await runInSlices(simulateTargetsInSteps(targets, wanted, knowledge));
  return runInSlices(planInSteps(simulation, wanted.format, knowledge.now));
}

/** What an edit of the configuration would change. Changes nothing. Throws ConfigError as planOf does. */
export async function planEdit(
  ports: PlanPorts,
  targets: readonly Target[],
  edited: Edited,
  wanted: PlanOptions,
): Promise<string> {
  const knowledge = await readKnowledge(ports);
  const before = await runInSlices(simulateTargetsInSteps(targets, wanted, knowledge));
  const after = await runInSlices(simulateTargetsInSteps(edited.targets, wanted, knowledge));
  const comparison = await runInSlices(compareInSteps(before, after, knowledge.now));
  return runInSlices(comparisonInSteps(comparison, wanted.format, edited.warnings));
}

/** Timers, requests and rotations have their turn between the slices. */
function runInSlices<Result>(work: Steps<Result>): Promise<Result> {
  return inSlices(work, () => new Promise((resolve) => void setImmediate(resolve)));
}

async function readKnowledge({ journal, rotator, sweepEvery }: PlanPorts): Promise<PlanKnowledge> {
  const { records } = await journal.targets();
  const known = new Map(records.map((record) => [record.targetId, record]));
  return {
    now: toInstant(journal.now()),
    factsOf: (targetId) => {
      const record = known.get(targetId);
      return record?.adoptedAt === undefined ? undefined : toFacts(record);
    },
    serverOf: ({ type, options }) => rotator(type).endpoint(options).host,
    budget,
    ...(sweepEvery !== undefined && { sweepEvery }),
  };
}

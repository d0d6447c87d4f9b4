import { toFacts } from "../../core/record/due.ts";
import { findPause } from "../../core/record/pause.ts";
import { compareInSteps } from "../../core/simulation/compare.ts";
import type { PlanFormat } from "../../core/simulation/formats.ts";
import { planInSteps, renderComparisonInSteps } from "../../core/simulation/render.ts";
import {
  type PlanKnowledge,
  type PlanScope,
  simulateTargetsInSteps,
} from "../../core/simulation/scope.ts";
import type { PlanBudget } from "../../core/simulation/simulate.ts";
import type { Target } from "../../core/target.ts";
import { toInstant } from "../../core/time.ts";
import { runInSlices, type Steps } from "../../core/work-in-steps.ts";
import type { Ports } from "../ports.ts";

/** What a plan shows. */
export interface PlanOptions extends PlanScope {
  readonly format: PlanFormat;
}

/** An edited configuration, to compare its plan with the current one. */
export interface Edited {
  readonly targets: readonly Target[];
  /** Warnings of the configuration check. */
  readonly warnings: readonly string[];
}

type PlanPorts = Pick<Ports, "journal" | "rotator" | "sweepEvery">;

/** Limits of one plan. The process has other work to do; a plan of this size takes a second or two, in slices. */
const budget: PlanBudget = { rotations: 100_000, counted: 200_000 };

/**
 * Lists every future rotation that follows from the configuration and the journal, if nothing fails and nobody requests one. Throws
 * ConfigError when there are more rotations than the limit.
 */
export async function makePlan(
  ports: PlanPorts,
  targets: readonly Target[],
  wanted: PlanOptions,
): Promise<string> {
  const knowledge = await readKnowledge(ports);
  const simulation = await runBetweenEvents(simulateTargetsInSteps(targets, wanted, knowledge));
  return runBetweenEvents(planInSteps(simulation, wanted.format, knowledge.now));
}

/** Shows what an edit of the configuration would change in the plan. Writes nothing. Throws ConfigError as `makePlan` does. */
export async function planEdit(
  ports: PlanPorts,
  targets: readonly Target[],
  edited: Edited,
  wanted: PlanOptions,
): Promise<string> {
  const knowledge = await readKnowledge(ports);
  const before = await runBetweenEvents(simulateTargetsInSteps(targets, wanted, knowledge));
  const after = await runBetweenEvents(simulateTargetsInSteps(edited.targets, wanted, knowledge));
  const comparison = await runBetweenEvents(compareInSteps(before, after, knowledge.now));
  return runBetweenEvents(renderComparisonInSteps(comparison, wanted.format, edited.warnings));
}

/** Runs the work in slices, so that timers, requests and rotations can run in between. */
function runBetweenEvents<Result>(work: Steps<Result>): Promise<Result> {
  return runInSlices(work, () => new Promise((resolve) => void setImmediate(resolve)));
}

async function readKnowledge({ journal, rotator, sweepEvery }: PlanPorts): Promise<PlanKnowledge> {
  const { records } = await journal.targets();
  const known = new Map(records.map((record) => [record.targetId, record]));
  const now = toInstant(journal.now());
  return {
    now,
    factsOf: (targetId) => {
      const record = known.get(targetId);
      return record?.adoptedAt === undefined ? undefined : toFacts(record);
    },
    pauseOf: (targetId) => {
      const record = known.get(targetId);
      return record && findPause(record, now);
    },
    forceOf: (targetId) => known.get(targetId)?.again?.force,
    datedOf: (targetId) => known.get(targetId)?.dated,
    serverOf: ({ type, options }) => rotator(type).endpoint(options).host,
    budget,
    ...(sweepEvery !== undefined && { sweepEvery }),
  };
}

import { factsOf } from "../core/due.ts";
import { compare } from "../core/simulation/compare.ts";
import { type PlanFormat, renderComparisonAs, renderPlan } from "../core/simulation/render.ts";
import { type PlanKnowledge, type PlanScope, simulateTargets } from "../core/simulation/scope.ts";
import type { Target } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";

/** What a plan is to show. */
export interface PlanWanted extends PlanScope {
  readonly format: PlanFormat;
}

/** An edited configuration that a plan is made of for comparison. */
export interface Edited {
  readonly targets: readonly Target[];
  /** What its check found worth a second look. */
  readonly warnings: readonly string[];
}

type PlanPorts = Pick<Ports, "journal" | "rotator" | "clock">;

/** A plan is made by a process that has other work to do, and memory for so many. */
const mostRotations = 200_000;

/** Every rotation to come as the configuration and the journal have it, if nothing fails and nobody asks for one. */
export async function planOf(
  ports: PlanPorts,
  targets: readonly Target[],
  wanted: PlanWanted,
): Promise<string> {
  const knowledge = await knowledgeOf(ports);
  const simulation = simulateTargets(targets, wanted, knowledge);
  return renderPlan(simulation, wanted.format, knowledge.now);
}

/** What an edit of the configuration would change. Changes nothing. */
export async function planEdit(
  ports: PlanPorts,
  targets: readonly Target[],
  edited: Edited,
  wanted: PlanWanted,
): Promise<string> {
  const knowledge = await knowledgeOf(ports);
  const before = simulateTargets(targets, wanted, knowledge);
  const after = simulateTargets(edited.targets, wanted, knowledge);
  return renderComparisonAs(compare(before, after, knowledge.now), wanted.format, edited.warnings);
}

async function knowledgeOf({ journal, rotator, clock }: PlanPorts): Promise<PlanKnowledge> {
  const { records } = await journal.targets();
  const known = new Map(records.map((record) => [record.targetId, record]));
  return {
    now: toInstant(clock()),
    factsOf: (targetId) => {
      const record = known.get(targetId);
      return record?.adoptedAt === undefined ? undefined : factsOf(record);
    },
    serverOf: ({ type, options }) => rotator(type).endpoint(options).host,
    most: mostRotations,
  };
}

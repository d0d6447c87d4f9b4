import { defaultLimits } from "../core/simulation/collisions.ts";
import { type PlanFormat, renderPlan } from "../core/simulation/render.ts";
import { simulate } from "../core/simulation/simulate.ts";
import { simulated } from "../core/simulation/simulated.ts";
import type { Target } from "../core/target.ts";
import { day, type Instant, plus, toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";

/** What a plan is to show. */
export interface PlanWanted {
  /** Now, when absent. */
  readonly from?: Instant;
  /** Ninety days after `from`, when absent. */
  readonly to?: Instant;
  readonly format: PlanFormat;
}

const usualLength = 90 * day;

/** Every rotation to come as the configuration and the journal have it, if nothing fails and nobody asks for one. */
export async function planOf(
  { journal, rotator, clock }: Pick<Ports, "journal" | "rotator" | "clock">,
  targets: readonly Target[],
  { from, to, format }: PlanWanted,
): Promise<string> {
  const now = toInstant(clock());
  const { records } = await journal.targets();
  const known = new Map(records.map((record) => [record.targetId, record]));
  const all = targets.map((target) => {
    const { host } = rotator(target.type).endpoint(target.options);
    return simulated(target, known.get(target.id), host, now);
  });
  const begin = from ?? now;
  const simulation = simulate(all, begin, to ?? plus(begin, usualLength), defaultLimits, now);
  return renderPlan(simulation, format, now);
}

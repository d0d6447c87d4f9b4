import type { Policy } from "../../../shared/core/policy/policy.ts";
import { defaultLimits } from "../../../shared/core/simulation/limits.ts";
import type { SimulatedTarget } from "../../../shared/core/simulation/model.ts";
import { simulate } from "../../../shared/core/simulation/simulate.ts";
import { policyWith } from "../policy/sample.ts";

export const from = "2026-03-01T00:00:00.000Z";
export const to = "2026-05-01T00:00:00.000Z";

/** Makes a target whose secret was changed at the start of the simulation. */
export function target(
  id: string,
  fields: Partial<Policy>,
  more: Partial<SimulatedTarget> = {},
): SimulatedTarget {
  return { id, policy: policyWith(fields), facts: { changedAt: from }, vault: "main", ...more };
}

/** Simulates these targets for two months. */
export function plan(...targets: SimulatedTarget[]) {
  return simulate(targets, { from, to, limits: defaultLimits });
}

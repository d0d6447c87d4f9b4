import type { Policy } from "../../../shared/core/policy/policy.ts";
import { defaultLimits } from "../../../shared/core/simulation/limits.ts";
import type { SimulatedTarget } from "../../../shared/core/simulation/model.ts";
import { simulate } from "../../../shared/core/simulation/simulate.ts";
import { policyWith } from "../policy/sample.ts";

export const from = "2026-03-01T00:00:00.000Z";
export const to = "2026-05-01T00:00:00.000Z";

/** A target whose secret was changed when the simulation begins. */
export function target(
  id: string,
  fields: Partial<Policy>,
  more: Partial<SimulatedTarget> = {},
): SimulatedTarget {
  return { id, policy: policyWith(fields), facts: { changedAt: from }, vault: "main", ...more };
}

/** What happens to these targets in two months. */
export function plan(...targets: SimulatedTarget[]) {
  return simulate(targets, { from, to, limits: defaultLimits });
}

import type { Policy } from "../../shared/core/policy/policy.ts";
import { expose, type ExposureInput } from "../../shared/engine/inbox/expose.ts";
import { workOn } from "../../shared/engine/worker.ts";
import { type Gate, makeWorld, open, singleAdmin, type World } from "./world.ts";

/** The world starts on Thursday 2026-01-01 00:00 UTC. */
export const nights = { between: [{ from: "02:00", to: "04:00" }] };
export const yearEnd = {
  from: "2026-01-01",
  to: "2026-01-06",
  reason: "year end",
} as const;

/** A world whose target has the default test policy with these fields. */
export async function worldWith(fields: Partial<Policy>, kind = singleAdmin): Promise<World> {
  const world = await makeWorld(kind);
  return withPolicy(world, fields);
}

export function withPolicy(world: World, fields: Partial<Policy>): World {
  return { ...world, target: { ...world.target, policy: { ...world.target.policy, ...fields } } };
}

export const work = (world: World, gate: Gate = open, checkDrift = false) =>
  workOn(world.ports(gate), world.target, { checkDrift });

export const seen = (world: World, report: Partial<ExposureInput> = {}) =>
  expose(world.ports(open), world.target, { by: "ben", kind: "exposure", ...report });

import type { Comparison } from "./compare.ts";
import { type Simulation, whyOf } from "./plan.ts";

/** The whole plan, for programs. Instants are ISO 8601 in UTC. */
export function renderJson({ targetIds, ...simulation }: Simulation): string {
  const rotations = simulation.rotations.map((rotation) => ({
    targetId: rotation.target.id,
    at: new Date(rotation.at).toISOString(),
    policy: rotation.target.policy.name,
    vault: rotation.target.vault,
    ...(rotation.target.server !== undefined && { server: rotation.target.server }),
    why: whyOf(rotation),
  }));
  return `${JSON.stringify({ targets: targetIds.length, ...simulation, rotations }, null, 2)}\n`;
}

export function renderComparisonJson(comparison: Comparison): string {
  return `${JSON.stringify(comparison, null, 2)}\n`;
}

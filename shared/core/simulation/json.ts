import type { Comparison } from "./compare.ts";
import { type SimulatedRotation, type Simulation, whyOf } from "./plan.ts";

/** The whole plan, for programs. Instants are ISO 8601 in UTC. `later`: first rotations that lie beyond its end. */
export function renderJson({ targets, ...simulation }: Simulation): string {
  const rotations = simulation.rotations.map(readable);
  const end = Date.parse(simulation.to);
  const later = targets.flatMap(({ next }) => (next && next.at >= end ? [readable(next)] : []));
  const plan = { targets: targets.length, ...simulation, rotations, later };
  return `${JSON.stringify(plan, null, 2)}\n`;
}

function readable(rotation: SimulatedRotation) {
  const { target, at } = rotation;
  return {
    targetId: target.id,
    at: new Date(at).toISOString(),
    policy: target.policy.name,
    vault: target.vault,
    ...(target.server !== undefined && { server: target.server }),
    why: whyOf(rotation),
  };
}

/** `warnings` are what the check of the edited configuration found, if they are to be told here. */
export function renderComparisonJson(comparison: Comparison, warnings?: readonly string[]): string {
  return `${JSON.stringify({ ...comparison, ...(warnings && { warnings }) }, null, 2)}\n`;
}

import { mapInSteps, runAtOnce, type Steps } from "../work-in-steps.ts";
import type { Comparison } from "./compare.ts";
import { describeWhy, type SimulatedRotation, type Simulation } from "./model.ts";

/** Renders the whole plan for programs. Instants are ISO 8601 in UTC. `later`: first rotations after the end of the plan. */
export function renderJson(simulation: Simulation): string {
  return runAtOnce(renderJsonInSteps(simulation));
}

export function* renderJsonInSteps({ targets, ...simulation }: Simulation): Steps<string> {
  const end = Date.parse(simulation.to);
  const beyond = targets.flatMap(({ next }) => (next && next.at >= end ? [next] : []));
  const rotations = yield* mapInSteps(simulation.rotations, readable);
  const later = yield* mapInSteps(beyond, readable);
  return yield* writeFields({ targets: targets.length, ...simulation, rotations, later });
}

function readable(rotation: SimulatedRotation) {
  const { target, at } = rotation;
  return {
    targetId: target.id,
    at: new Date(at).toISOString(),
    policy: target.policy.name,
    vault: target.vault,
    ...(target.server !== undefined && { server: target.server }),
    why: describeWhy(rotation),
  };
}

/** Renders a comparison. `warnings` are those of the edited configuration, if the output includes them. */
export function renderComparisonJson(comparison: Comparison, warnings?: readonly string[]): string {
  return runAtOnce(renderComparisonJsonInSteps(comparison, warnings));
}

export function renderComparisonJsonInSteps(
  comparison: Comparison,
  warnings?: readonly string[],
): Steps<string> {
  return writeFields({ ...comparison, ...(warnings && { warnings }) });
}

/** Formats like JSON.stringify with two spaces, but writes long lists item by item. */
function* writeFields(fields: object): Steps<string> {
  const texts: string[] = [];
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined) continue;
    const text = Array.isArray(value) ? yield* writtenList(value) : indentLines(value);
    texts.push(`  ${JSON.stringify(name)}: ${text}`);
  }
  return `{\n${texts.join(",\n")}\n}\n`;
}

function* writtenList(items: readonly unknown[]): Steps<string> {
  if (items.length === 0) return "[]";
  const texts = yield* mapInSteps(items, (item) => `\n    ${indentLines(item, 4)}`);
  return `[${texts.join(",")}\n  ]`;
}

function indentLines(value: unknown, by = 2): string {
  // JSON escapes line ends in texts, so each remaining one is between parts.
  return JSON.stringify(value, null, 2).replaceAll("\n", `\n${" ".repeat(by)}`);
}

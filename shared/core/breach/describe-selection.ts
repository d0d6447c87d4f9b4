import type { BreachSelection } from "./breach.ts";

/** The conditions of a selection in words. Undefined for a list of targets. */
export function describeBreachSelection(selection: BreachSelection): string | undefined {
  const { targets, tags = [], host, vault, type, policy, exposedBy } = selection;
  if (targets) return undefined;
  const named = Object.entries({ host, vault, type, policy, "exposed by": exposedBy });
  return [
    ...tags.map((tag) => `tag ${tag.join("=")}`),
    ...named.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])),
  ].join("; ");
}

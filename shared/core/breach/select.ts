import { ConfigError } from "../errors.ts";
import { findUnansweredExposure } from "../lifecycle/exposure.ts";
import { findNearest } from "../nearest.ts";
import { isWanted } from "../target-filter.ts";
import type { BreachSelection } from "./breach.ts";
import type { Candidate } from "./candidate.ts";

/** The most targets of one breach. */
const maxTargets = 10_000;

/** One condition of a selection. */
interface Condition {
  /** The condition as a person gave it, such as `tag env=production`. */
  readonly text: string;
  readonly holds: (candidate: Candidate) => boolean;
  /** The values that would match something, for a hint. */
  readonly known: (candidates: readonly Candidate[]) => readonly string[];
  readonly given: string;
}

/**
 * The candidates that the selection means, in their order. Throws ConfigError when a listed target does not exist, when no target
 * matches, and when too many do.
 */
export function selectCandidates(
  all: readonly Candidate[],
  selection: BreachSelection,
): readonly Candidate[] {
  const { targets } = selection;
  const conditions = listConditions(selection);
  if (targets !== undefined) {
    if (conditions.length > 0) {
      throw new ConfigError("Give either `targets` or conditions, not both");
    }
    return selectListed(all, targets);
  }
  if (conditions.length === 0) {
    throw new ConfigError("The selection is empty. Give `targets`, or at least one condition");
  }
  const found = all.filter((one) => conditions.every(({ holds }) => holds(one)));
  if (found.length === 0) throw new ConfigError(explainNothing(all, conditions));
  return requireFew(found);
}

function selectListed(all: readonly Candidate[], targets: readonly string[]): readonly Candidate[] {
  if (targets.length === 0) throw new ConfigError("`targets` is empty. Give at least one target");
  const byId = new Map(all.map((one) => [one.target.id, one]));
  const unknown = targets.find((id) => !byId.has(id));
  if (unknown !== undefined) {
    throw new ConfigError(`There is no target "${unknown}"${hint(unknown, [...byId.keys()])}`);
  }
  const wanted = new Set(targets);
  return requireFew(all.filter(({ target }) => wanted.has(target.id)));
}

function requireFew(found: readonly Candidate[]): readonly Candidate[] {
  if (found.length <= maxTargets) return found;
  throw new ConfigError(
    `The selection has ${found.length} targets; the limit is ${maxTargets}. Add a condition`,
  );
}

function listConditions(selection: BreachSelection): readonly Condition[] {
  const { host, vault, type, policy, exposedBy, tags = [] } = selection;
  return [
    ...tags.map(([name, value]) => ({
      ...condition("tag", `${name}=${value}`, (one) =>
        Object.entries(one.target.tags).map((tag) => tag.join("=")),
      ),
      holds: ({ target }: Candidate) => isWanted(target, { tags: [[name, value]] }),
    })),
    ...given(host, (value) => ({
      ...condition("host", value, listHosts),
      holds: (one: Candidate) => hasHost(one, value),
    })),
    ...given(vault, (value) => plain("vault", value, ({ target }) => target.publish.vault)),
    ...given(type, (value) => plain("type", value, ({ target }) => target.type)),
    ...given(policy, (value) => plain("policy", value, ({ target }) => target.policy.name)),
    ...given(exposedBy, (value) => ({
      ...condition("exposedBy", value, listSeers),
      holds: (one: Candidate) => listSeers(one).includes(value),
    })),
  ];
}

function given<Result>(value: string | undefined, make: (value: string) => Result): Result[] {
  return value === undefined ? [] : [make(value)];
}

function condition(
  name: string,
  value: string,
  valuesOf: (one: Candidate) => readonly string[],
): Omit<Condition, "holds"> {
  return {
    text: `${name} "${value}"`,
    given: value,
    known: (all) => [...new Set(all.flatMap(valuesOf))],
  };
}

function plain(name: string, value: string, valueOf: (one: Candidate) => string): Condition {
  return {
    ...condition(name, value, (one) => [valueOf(one)]),
    holds: (one) => valueOf(one) === value,
  };
}

function listHosts({ host, members = [] }: Candidate): readonly string[] {
  return [host, ...members.map((member) => member.replace(/:\d+$/, "").replace(/^\[|\]$/g, ""))];
}

function hasHost(candidate: Candidate, wanted: string): boolean {
  const { server, members = [] } = candidate;
  const names = [...listHosts(candidate), server, ...members];
  return names.some((name) => name.toLowerCase() === wanted.toLowerCase());
}

/** Who was reported to have seen the present secret. */
function listSeers({ record }: Candidate): readonly string[] {
  const exposure = record && findUnansweredExposure(record);
  return exposure ? [exposure.by, ...(exposure.alsoBy ?? [])] : [];
}

/** Why nothing matches: a condition that no target has, or conditions that exclude each other. */
function explainNothing(all: readonly Candidate[], conditions: readonly Condition[]): string {
  const unknown = conditions.find(({ holds }) => !all.some(holds));
  if (unknown) {
    return `No target has ${unknown.text}${hint(unknown.given, unknown.known(all))}`;
  }
  const texts = conditions.map(({ text }) => text).join(" and ");
  return `No target matches all conditions: ${texts}. Each of them alone matches some targets`;
}

function hint(given: string, known: readonly string[]): string {
  const near = findNearest(given, known);
  return near === undefined ? "" : `. Did you mean "${near}"?`;
}

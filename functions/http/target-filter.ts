import type { TargetFilter } from "../../shared/app.ts";

/** The filters of targets as a caller gives them. */
interface GivenFilters extends Pick<
  TargetFilter,
  "health" | "policy" | "type" | "vault" | "dueBefore"
> {
  readonly owner?: string | undefined;
  readonly tag?: readonly [string, string] | undefined;
  readonly overdue?: unknown;
}

export function toFilter(given: GivenFilters): TargetFilter {
  const { health, policy, type, vault, dueBefore, overdue } = given;
  const filter = { health, policy, type, vault, dueBefore };
  return { ...filter, isOverdue: overdue !== undefined, tags: toTags(given) };
}

/** The tags that a target must have. */
export function toTags({
  owner,
  tag,
}: Pick<GivenFilters, "owner" | "tag">): (readonly [string, string])[] {
  return [...(tag ? [tag] : []), ...(owner === undefined ? [] : [["owner", owner] as const])];
}

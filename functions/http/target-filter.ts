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
  const { health, policy, type, vault, dueBefore, owner, tag, overdue } = given;
  const owners = owner === undefined ? [] : [["owner", owner] as const];
  return {
    ...{ health, policy, type, vault, dueBefore },
    isOverdue: overdue !== undefined,
    tags: [...(tag ? [tag] : []), ...owners],
  };
}

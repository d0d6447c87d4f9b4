import type { Target } from "./target.ts";
import { between, type Instant, minute } from "./time.ts";
import type { TargetView } from "./views.ts";

/** Which targets of the configuration are wanted. All conditions must hold; without any, every target. */
export interface TargetFilter {
  readonly health?: TargetView["health"] | undefined;
  readonly policy?: string | undefined;
  readonly type?: string | undefined;
  /** The vault that the target publishes into. */
  readonly vault?: string | undefined;
  /** Names and values that the tags of the target must have. */
  readonly tags?: readonly (readonly [string, string])[] | undefined;
  readonly isOverdue?: boolean | undefined;
  readonly dueBefore?: Instant | undefined;
}

/** Milliseconds. The sweep finds due targets every minute, and a rotation takes seconds. */
const overdueMs = 15 * minute;

/** Whether the target matches the conditions that only the configuration decides. */
export function isWanted(target: Target, filter: TargetFilter): boolean {
  const { policy = target.policy.name, type = target.type, vault = target.publish.vault } = filter;
  return (
    policy === target.policy.name &&
    type === target.type &&
    vault === target.publish.vault &&
    (filter.tags ?? []).every(([name, value]) => target.tags[name] === value)
  );
}

/** Whether the state of the target matches the other conditions. */
export function isInState(
  { health, nextDue }: Pick<TargetView, "health" | "nextDue">,
  filter: TargetFilter,
  now: Instant,
): boolean {
  if (filter.health !== undefined && filter.health !== health) return false;
  if (filter.dueBefore !== undefined && !(nextDue !== undefined && nextDue < filter.dueBefore)) {
    return false;
  }
  return !filter.isOverdue || (nextDue !== undefined && between(nextDue, now) > overdueMs);
}

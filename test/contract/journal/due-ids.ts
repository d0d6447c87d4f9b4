import type { Instant } from "../../../shared/core/time.ts";
import type { Journal } from "../../../shared/stores/journal.ts";

/** The ids of what is due and not sent, in the order in which it is given. */
export async function dueIds(
  journal: Journal,
  now: Instant,
  limit: number,
): Promise<readonly string[]> {
  return (await journal.due(now, limit)).map(({ targetId }) => targetId);
}

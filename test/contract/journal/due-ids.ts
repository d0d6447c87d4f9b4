import type { Instant } from "../../../shared/core/time.ts";
import type { Journal } from "../../../shared/stores/journal.ts";

/** The ids of due targets without a message under way, in the order of the journal. */
export async function dueIds(
  journal: Journal,
  now: Instant,
  limit: number,
): Promise<readonly string[]> {
  return (await journal.due(now, limit)).map(({ targetId }) => targetId);
}

import { hour, type Instant, minute, plus } from "../time.ts";

const firstWaitMs = 15 * minute;
/** The same wait for a target that goes first. */
const firstUrgentWaitMs = 2 * minute;
const maxWaitMs = 2 * hour;

/**
 * Until when the `sent`th message about the same due time counts as under way. After that it counts as lost, and the sweep sends
 * another one. The waits grow, because a long backlog can delay a message that is not lost.
 */
export function computeSentUntil(sent: number, isFirst: boolean, now: Instant): Instant {
  const wait = isFirst ? firstUrgentWaitMs : firstWaitMs;
  return plus(now, Math.min(wait * 2 ** (sent - 1), maxWaitMs));
}

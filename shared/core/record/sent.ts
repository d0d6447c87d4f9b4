import { hour, type Instant, minute, plus } from "../time.ts";

const firstWait = 15 * minute;
/** The same where somebody waits. */
const firstWaitOfFirst = 2 * minute;
const longestWait = 2 * hour;

/**
 * Until when a message counts as being on its way that is the `sent`th about the same due moment. After that it counts as lost, and
 * another one is sent; where a backlog is so long that it was not, the waits grow.
 */
export function sentUntil(sent: number, isFirst: boolean, now: Instant): Instant {
  const wait = isFirst ? firstWaitOfFirst : firstWait;
  return plus(now, Math.min(wait * 2 ** (sent - 1), longestWait));
}

import { hour, type Instant, minute, plus } from "./time.ts";

const firstWait = 15 * minute;
const longestWait = 2 * hour;

/**
 * Until when a message counts as being on its way that is the `sent`th about the same due moment. After that it counts as lost, and
 * another one is sent; where a backlog is so long that it was not, the waits grow.
 */
export function sentUntil(sent: number, now: Instant): Instant {
  return plus(now, Math.min(firstWait * 2 ** (sent - 1), longestWait));
}

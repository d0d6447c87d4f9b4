import { day, second } from "../core/time.ts";

/** Converts milliseconds to the whole seconds for which a message stays invisible, as the contract of the queue says. */
export function toDelaySeconds(milliseconds: number): number {
  const seconds = Math.ceil(milliseconds / second);
  return Math.min(Math.max(seconds, 0), (7 * day) / second);
}

import { day, second } from "../core/time.ts";

/** Whole seconds a message stays unseen, as the queue contract says, from the milliseconds asked for. */
export function delaySeconds(milliseconds: number): number {
  const seconds = Math.ceil(milliseconds / second);
  return Math.min(Math.max(seconds, 0), (7 * day) / second);
}

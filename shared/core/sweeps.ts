import { minute, second } from "./time.ts";

/**
 * Milliseconds from one sweep to the next: as the settings have it, a sweep comes with each full minute. What is due is
 * noticed by the next sweep, so that no policy rotates a target more than once a minute, however short its `every` is.
 */
export const sweepEvery = minute;

/** Milliseconds that a usual rotation takes until the secret is changed. */
export const usualRotation = 5 * second;

/**
 * Milliseconds from the start of a rotation, with a sweep, to the moment from which a plan counts the age of the new
 * secret: such that the next rotation, `every` later, starts with the sweep that notices it.
 */
export function ageDelay(every: number = sweepEvery): number {
  return Math.ceil((usualRotation + every) / sweepEvery) * sweepEvery - every;
}

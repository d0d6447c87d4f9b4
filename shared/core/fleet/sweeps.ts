import { Cron } from "croner";
import { day, minute, second } from "../time.ts";

/**
 * Milliseconds from one sweep to the next: as the settings usually have it, a sweep comes with each full minute. What is
 * due is noticed by the next sweep, so that no policy rotates a target more often than that, however short its `every`.
 */
export const usualSweep = minute;

/** Milliseconds that a usual rotation takes until the secret is changed. */
export const usualRotation = 2 * second;

/**
 * Milliseconds from the start of a rotation, with a sweep, to the moment from which a plan counts the age of the new
 * secret: such that the next rotation, `every` later, starts with the sweep that notices it.
 */
export function ageDelay(every: number, sweepEvery: number): number {
  return Math.ceil((usualRotation + every) / sweepEvery) * sweepEvery - every;
}

/** Sweeps of a timetable are looked at from here on. */
const somewhen = new Date("2026-01-01T00:00:00Z");
const looked = 60;

/**
 * Milliseconds that lie at most between two sweeps of a six-field timetable. The usual ones where it cannot be read, or
 * where sweeps lie more than a day apart: then they are switched off, and somebody else has them made.
 */
export function sweepDistance(timetable: string | undefined): number {
  try {
    const sweeps = new Cron(timetable ?? "", { utcOffset: 0, mode: "6-part" }).nextRuns(
      looked,
      somewhen,
    );
    const gaps = sweeps.slice(1).map((at, index) => at.getTime() - (sweeps[index]?.getTime() ?? 0));
    const longest = Math.max(...gaps);
    return longest > 0 && longest <= day ? longest : usualSweep;
  } catch {
    // Functions also takes time spans, and other timetables than ours.
    return usualSweep;
  }
}

import { Cron } from "croner";
import { day, minute, second } from "../time.ts";

/**
 * Milliseconds from one sweep to the next. By default a sweep runs every full minute. A target that is due waits for the next sweep,
 * so no policy rotates a target more often than that, however short its `every`.
 */
export const usualSweep = minute;

/** Milliseconds that a usual rotation takes until the secret is changed. */
export const usualRotation = 2 * second;

/**
 * Milliseconds from the start of a rotation, which is a sweep, to the moment from which a plan counts the age of the new
 * secret. The next rotation, `every` later, then starts exactly at the sweep that finds it due.
 */
export function computeAgeDelay(every: number, sweepEvery: number): number {
  return Math.ceil((usualRotation + every) / sweepEvery) * sweepEvery - every;
}

/** Any fixed start for listing the sweeps of a timetable. */
const somewhen = new Date("2026-01-01T00:00:00Z");
const looked = 60;

/**
 * The longest time between two sweeps of a six-field timetable, in milliseconds. The default applies if the timetable cannot be read,
 * or if sweeps are more than a day apart: the timer is then switched off, and something else starts the sweeps.
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
    // Functions also accepts time spans and other kinds of timetables.
    return usualSweep;
  }
}

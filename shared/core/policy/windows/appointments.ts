import type { Policy } from "../policy.ts";
import { parseTimeOfDay, toDayNumber, toInstantOn, toWeekday } from "./calendar.ts";
import { parseFires } from "./cron.ts";
import { toWallClock } from "./zone.ts";

/** The moments at which changes start, in order. They are not stored, because finding one takes microseconds. */
export interface Appointments {
  /** The first appointment from `from` on that is not after `to`. */
  readonly next: (from: number, to: number) => number | undefined;
  /** The last appointment before `before` that is not before `from`. */
  readonly previous: (before: number, from: number) => number | undefined;
}

type Hours = {
  readonly [Field in "days" | "at" | "cron"]?: Policy[Field] | undefined;
} & { readonly timeZone: string };

/** The local days with appointments, and their times in milliseconds since midnight, in order. */
interface Fires {
  readonly onDay: (number: number) => boolean;
  readonly times: readonly number[];
}

/** The number of local days around a moment to search, because some clocks skip or repeat a day. */
const around = 2;

export function listAppointments(hours: Hours): Appointments {
  const { timeZone } = hours;
  const { onDay, times } = hours.cron === undefined ? firesAt(hours) : parseFires(hours.cron);
  const dayOf = (instant: number) => toDayNumber(toWallClock(timeZone, instant));
  // A later time of a day is never an earlier moment, so binary search works.
  const countBefore = (number: number, moment: number) => {
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (toInstantOn(timeZone, number, times[middle] ?? 0) < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    next: (from, to) => {
      for (let one = dayOf(from) - around; one <= dayOf(to) + around; one++) {
        if (!onDay(one)) continue;
        const time = times[countBefore(one, from)];
        const found = time === undefined ? undefined : toInstantOn(timeZone, one, time);
        if (found !== undefined) return found <= to ? found : undefined;
      }
      return undefined;
    },
    previous: (before, from) => {
      for (let one = dayOf(before) + around; one >= dayOf(from) - around; one--) {
        if (!onDay(one)) continue;
        const time = times[countBefore(one, before) - 1];
        const found = time === undefined ? undefined : toInstantOn(timeZone, one, time);
        if (found !== undefined) return found >= from ? found : undefined;
      }
      return undefined;
    },
  };
}

function firesAt({ days, at = [] }: Hours): Fires {
  const times = at.map(parseTimeOfDay).filter((time) => time !== undefined);
  return {
    // Without any times, no day has appointments.
    onDay: (number) => times.length > 0 && (days?.includes(toWeekday(number)) ?? true),
    times: times.sort((a, b) => a - b),
  };
}

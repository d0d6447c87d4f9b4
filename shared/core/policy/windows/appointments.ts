import type { Policy } from "../policy.ts";
import { dayNumber, instantOn, parseTimeOfDay, toWeekday } from "./calendar.ts";
import { parseFires } from "./cron.ts";
import { toWallClock } from "./zone.ts";

/** The moments at which changes start, in order. None is kept: finding one takes microseconds, wherever it lies. */
export interface Appointments {
  /** The first one from `from` on, but not after `to`. */
  readonly next: (from: number, to: number) => number | undefined;
  /** The last one before `before`, but not before `from`. */
  readonly previous: (before: number, from: number) => number | undefined;
}

type Hours = {
  readonly [Field in "days" | "at" | "cron"]?: Policy[Field] | undefined;
} & { readonly timeZone: string };

/** On which local days there are some, and at which times: in milliseconds since midnight, in order. */
interface Fires {
  readonly onDay: (number: number) => boolean;
  readonly times: readonly number[];
}

/** Local days around that of a moment on which appointments at that moment may lie: some clocks skip or repeat a day. */
const around = 2;

export function listAppointments(hours: Hours): Appointments {
  const { timeZone } = hours;
  const { onDay, times } = hours.cron === undefined ? firesAt(hours) : parseFires(hours.cron);
  const dayOf = (instant: number) => dayNumber(toWallClock(timeZone, instant));
  // A later time of a day is never an earlier moment, so that the times of a day can be searched.
  const countBefore = (number: number, moment: number) => {
    let [low, high] = [0, times.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (instantOn(timeZone, number, times[middle] ?? 0) < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return {
    next: (from, to) => {
      for (let one = dayOf(from) - around; one <= dayOf(to) + around; one++) {
        if (!onDay(one)) continue;
        const time = times[countBefore(one, from)];
        const found = time === undefined ? undefined : instantOn(timeZone, one, time);
        if (found !== undefined) return found <= to ? found : undefined;
      }
      return undefined;
    },
    previous: (before, from) => {
      for (let one = dayOf(before) + around; one >= dayOf(from) - around; one--) {
        if (!onDay(one)) continue;
        const time = times[countBefore(one, before) - 1];
        const found = time === undefined ? undefined : instantOn(timeZone, one, time);
        if (found !== undefined) return found >= from ? found : undefined;
      }
      return undefined;
    },
  };
}

function firesAt({ days, at = [] }: Hours): Fires {
  const times = at.map(parseTimeOfDay).filter((time) => time !== undefined);
  return {
    // Without any time, no day is worth a look.
    onDay: (number) => times.length > 0 && (days?.includes(toWeekday(number)) ?? true),
    times: times.sort((a, b) => a - b),
  };
}

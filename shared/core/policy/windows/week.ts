import { day } from "../../time.ts";
import { type Policy, weekdays } from "../policy.ts";
import { dayNumber, parseTimeOfDay } from "./calendar.ts";
import { type Span, union } from "./freezes.ts";
import { toInstantIn, toWallClock } from "./zone.ts";

/** The windows of the days of a week, one after the other. None is kept: finding one takes microseconds. */
export interface Windows {
  /** The first window that ends after a moment. Windows that touch are one. */
  readonly endingAfter: (moment: number) => Span | undefined;
  /** The last window that begins before a moment. */
  readonly beginningBefore: (moment: number) => Span | undefined;
}

type Hours = { readonly [Field in "days" | "between"]?: Policy[Field] | undefined };

const week = weekdays.length * day;

export function listWindows(hours: Hours, timeZone: string): Windows {
  const pattern = toPattern(hours);
  const none = () => undefined;
  if (pattern.length === 0) return { endingAfter: none, beginningBefore: none };
  const edge = (index: number, name: keyof Span) =>
    toInstantIn(timeZone, wallAt(pattern, index, name));
  return {
    endingAfter: (moment) => {
      let index = guessRangeIndex(pattern, toWallClock(timeZone, moment));
      while (edge(index, "to") <= moment) index++;
      while (edge(index - 1, "to") > moment) index--;
      return joinRanges(edge, index);
    },
    beginningBefore: (moment) => {
      let index = guessRangeIndex(pattern, toWallClock(timeZone, moment));
      while (edge(index, "from") < moment) index++;
      while (edge(index, "from") >= moment) index--;
      return joinRanges(edge, index);
    },
  };
}

/** Whether the hours of a week leave no gap. Then there are no windows that open or close. */
export function isAlwaysOpen(hours: Hours): boolean {
  const [only, ...others] = toPattern(hours);
  return others.length === 0 && only !== undefined && only.to - only.from >= week;
}

/** Open times in milliseconds since the beginning of a week, on Sunday; cut at the end of the week. */
function toPattern(hours: Hours): Span[] {
  const ranges = listRanges(hours);
  const days = [...weekdays.entries()].filter(([, name]) =>
    (hours.days ?? weekdays).includes(name),
  );
  const spans = days.flatMap(([index]) =>
    ranges.map(({ from, to }) => ({ from: index * day + from, to: index * day + to })),
  );
  return union(
    spans.flatMap(({ from, to }) =>
      to <= week
        ? [{ from, to }]
        : [
            { from, to: week },
            { from: 0, to: to - week },
          ],
    ),
  ).filter(({ from, to }) => from < to);
}

/** In milliseconds since the midnight with which the day begins; `to` may lie on the next day. */
function listRanges({ between }: Hours): Span[] {
  if (between === undefined) return [{ from: 0, to: day }];
  return between.flatMap((range) => {
    const from = parseTimeOfDay(range.from);
    const to = parseTimeOfDay(range.to);
    if (from === undefined || to === undefined) return [];
    return [{ from, to: to < from ? to + day : to }];
  });
}

/** As clocks show it. The windows of all weeks are counted; number 0 is the first one of the week of 1970-01-01. */
function wallAt(pattern: readonly Span[], index: number, edge: keyof Span): number {
  const weeks = Math.floor(index / pattern.length);
  return weekStart(weeks) + (pattern[index - weeks * pattern.length]?.[edge] ?? 0);
}

/** 1970-01-01 was a Thursday. */
function weekStart(weeks: number): number {
  return (weeks * weekdays.length - 4) * day;
}

/** The first window that ends after clocks show this, but for what they skip or repeat. */
function guessRangeIndex(pattern: readonly Span[], wall: number): number {
  const weeks = Math.floor((dayNumber(wall) + 4) / weekdays.length);
  const later = wall - weekStart(weeks);
  let [low, high] = [0, pattern.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((pattern[middle]?.to ?? Infinity) <= later) low = middle + 1;
    else high = middle;
  }
  return weeks * pattern.length + low;
}

/** A window with those before and after it that leave no gap: cut by the week, or parted by what clocks skip. */
function joinRanges(edge: (index: number, name: keyof Span) => number, index: number): Span {
  let [first, last] = [index, index];
  while (edge(first - 1, "to") >= edge(first, "from")) first--;
  while (edge(last + 1, "from") <= edge(last, "to")) last++;
  return { from: edge(first, "from"), to: edge(last, "to") };
}

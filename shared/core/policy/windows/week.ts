import { day } from "../../time.ts";
import { type Policy, weekdays } from "../policy.ts";
import { parseTimeOfDay, toDayNumber } from "./calendar.ts";
import { mergeSpans, type Span } from "./freezes.ts";
import { toInstantIn, toWallClock } from "./zone.ts";

/** The weekly windows in order. They are not stored, because finding one takes microseconds. */
export interface Windows {
  /** Finds the first window that ends after a moment. Adjacent windows are one window. */
  readonly endingAfter: (moment: number) => Span | undefined;
  /** Finds the last window that begins before a moment. */
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

/** Whether the hours cover the whole week, so that no window opens or closes. */
export function isAlwaysOpen(hours: Hours): boolean {
  const [only, ...others] = toPattern(hours);
  return others.length === 0 && only !== undefined && only.to - only.from >= week;
}

/** Returns the open spans in milliseconds since the beginning of the week on Sunday, cut at its end. */
function toPattern(hours: Hours): Span[] {
  const ranges = listRanges(hours);
  const days = [...weekdays.entries()].filter(([, name]) =>
    (hours.days ?? weekdays).includes(name),
  );
  const spans = days.flatMap(([index]) =>
    ranges.map(({ from, to }) => ({ from: index * day + from, to: index * day + to })),
  );
  return mergeSpans(
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

/** Returns spans in milliseconds since the midnight at which the day begins. `to` may be on the next day. */
function listRanges({ between }: Hours): Span[] {
  if (between === undefined) return [{ from: 0, to: day }];
  return between.flatMap((range) => {
    const from = parseTimeOfDay(range.from);
    const to = parseTimeOfDay(range.to);
    if (from === undefined || to === undefined) return [];
    return [{ from, to: to < from ? to + day : to }];
  });
}

/** Returns a window in wall time. Windows are numbered across weeks; number 0 is the first of the week of 1970-01-01. */
function wallAt(pattern: readonly Span[], index: number, edge: keyof Span): number {
  const weeks = Math.floor(index / pattern.length);
  return weekStart(weeks) + (pattern[index - weeks * pattern.length]?.[edge] ?? 0);
}

/** Returns the wall time at which a week begins on Sunday. 1970-01-01 was a Thursday. */
function weekStart(weeks: number): number {
  return (weeks * weekdays.length - 4) * day;
}

/** Estimates the first window that ends after a wall time, ignoring changes of the clocks. */
function guessRangeIndex(pattern: readonly Span[], wall: number): number {
  const weeks = Math.floor((toDayNumber(wall) + 4) / weekdays.length);
  const later = wall - weekStart(weeks);
  let [low, high] = [0, pattern.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((pattern[middle]?.to ?? Infinity) <= later) low = middle + 1;
    else high = middle;
  }
  return weeks * pattern.length + low;
}

/** Joins a window with adjacent ones that the end of the week or a change of the clocks separates. */
function joinRanges(edge: (index: number, name: keyof Span) => number, index: number): Span {
  let [first, last] = [index, index];
  while (edge(first - 1, "to") >= edge(first, "from")) first--;
  while (edge(last + 1, "from") <= edge(last, "to")) last++;
  return { from: edge(first, "from"), to: edge(last, "to") };
}

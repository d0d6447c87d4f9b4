import { day, hour, minute } from "../../time.ts";
import { type TimeOfDay, type Weekday, weekdays } from "../policy.ts";
import { toInstantIn, toWallClock, type Wall } from "./zone.ts";

/** Parses a time of day to milliseconds since midnight. Undefined when the text is not a time of day. */
export function parseTimeOfDay(text: TimeOfDay): number | undefined {
  const match = /^([01]\d|2[0-4]):([0-5]\d)$/.exec(text);
  const since = Number(match?.[1]) * hour + Number(match?.[2]) * minute;
  return since <= day ? since : undefined;
}

/** Parses a day such as `2026-12-20` to the wall time at which it starts. Undefined when the day does not exist. */
export function parseDay(text: string): Wall | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const wall = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(text) ? wall : undefined;
}

/** Parses an instant with an offset to milliseconds since the epoch. Undefined for any other text. */
export function parseMoment(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const instant = Date.parse(text);
  return match && parseDay(match[1] ?? "") !== undefined && !Number.isNaN(instant)
    ? instant
    : undefined;
}

/** Returns the number of days since 1970-01-01 of a wall time. */
export function toDayNumber(wall: Wall): number {
  return Math.floor(wall / day);
}

export function toWeekday(number: number): Weekday {
  // 1970-01-01 was a Thursday.
  return weekdays[(((number + 4) % 7) + 7) % 7] ?? "sun";
}

/** Returns the first moment at which the clocks show this time of this day, or a later time. */
export function toInstantOn(zone: string, number: number, timeOfDay: number): number {
  return toInstantIn(zone, number * day + timeOfDay);
}

/** Formats a moment such as `Sat 2026-10-31 22:00 Europe/Vienna`. */
export function formatLocal(instant: number, zone: string): string {
  const wall = toWallClock(zone, instant);
  const name = toWeekday(toDayNumber(wall));
  const text = new Date(wall).toISOString();
  const seconds = wall % minute === 0 ? "" : text.slice(16, 19);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)} ${text.slice(0, 10)} ${text.slice(11, 16)}${seconds} ${zone}`;
}

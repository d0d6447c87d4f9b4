import type { TimeRange } from "../../../shared/core/policy/policy.ts";
import { day, minute } from "../../../shared/core/time.ts";

/**
 * An independent reference for windows. It reads from Intl what the clocks show at every minute, without offsets. It is slow,
 * and too simple to have the same errors as the code under test.
 */
export interface Minute {
  readonly at: number;
  /** A text such as `2026-10-25 02:30`. These texts sort by time. */
  readonly shown: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function shownAt(zone: string, at: number): string {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  formats.set(zone, format);
  return format.format(at);
}

export function listMinutes(zone: string, from: number, to: number, step = minute): Minute[] {
  const minutes: Minute[] = [];
  for (let at = Math.ceil(from / step) * step; at < to; at += step) {
    minutes.push({ at, shown: shownAt(zone, at) });
  }
  return minutes;
}

/** Finds the first minute at which the clocks show this time of this date, or a later time. */
export function firstShowing(minutes: readonly Minute[], date: string, time: string): number {
  const wanted = time === "24:00" ? `${dateAfter(date)} 00:00` : `${date} ${time}`;
  return minutes.find(({ shown }) => shown >= wanted)?.at ?? Infinity;
}

function dateAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + day).toISOString().slice(0, 10);
}

function weekdayShown(date: string): string {
  return new Date(`${date}T00:00:00Z`).toLocaleDateString("en", {
    weekday: "short",
    timeZone: "UTC",
  });
}

/** Lists every date from the first to the last one shown, including skipped dates. */
export function datesIn(minutes: readonly Minute[]): string[] {
  const dates: string[] = [];
  const last = minutes.at(-1)?.shown.slice(0, 10) ?? "";
  for (let date = minutes[0]?.shown.slice(0, 10) ?? "9"; date <= last; date = dateAfter(date)) {
    dates.push(date);
  }
  return dates;
}

export interface WitnessedHours {
  readonly days?: readonly string[];
  /** The format of a date such as `2026-06-01`. */
  readonly dates?: RegExp;
  readonly between?: readonly TimeRange[];
  readonly at?: readonly string[];
}

function datesAllowed(minutes: readonly Minute[], { days, dates }: WitnessedHours): string[] {
  return datesIn(minutes).filter(
    (date) =>
      (days === undefined || days.includes(weekdayShown(date).toLowerCase())) &&
      (dates === undefined || dates.test(date)),
  );
}

/** Lists the minutes at which a window is open. It is reliable from two days after the start to two days before the end. */
export function openMinutes(minutes: readonly Minute[], hours: WitnessedHours): Set<number> {
  const open = new Set<number>();
  for (const date of datesAllowed(minutes, hours)) {
    for (const { from, to } of hours.between ?? [{ from: "00:00", to: "24:00" }]) {
      const start = firstShowing(minutes, date, from);
      const end = firstShowing(minutes, to <= from ? dateAfter(date) : date, to);
      for (const { at } of minutes) if (at >= start && at < end) open.add(at);
    }
  }
  return open;
}

export function appointmentMinutes(minutes: readonly Minute[], hours: WitnessedHours): number[] {
  const found = datesAllowed(minutes, hours).flatMap((date) =>
    (hours.at ?? []).map((time) => firstShowing(minutes, date, time)),
  );
  return [...new Set(found)].sort((a, b) => a - b);
}

/** Lists the minutes at which clocks change, so that the shown time jumps. */
export function jumps(zone: string, from: number, to: number): number[] {
  const found: number[] = [];
  const isSteady = (a: number, b: number) =>
    Date.parse(`${shownAt(zone, b).replace(" ", "T")}Z`) -
      Date.parse(`${shownAt(zone, a).replace(" ", "T")}Z`) ===
    b - a;
  for (let at = from; at < to; at += day) {
    if (isSteady(at, at + day)) continue;
    let [low, high] = [at, at + day];
    while (high - low > minute) {
      const middle = low + Math.floor((high - low) / 2 / minute) * minute;
      if (isSteady(low, middle)) low = middle;
      else high = middle;
    }
    found.push(high);
  }
  return found;
}

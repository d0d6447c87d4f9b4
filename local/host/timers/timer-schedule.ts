import { Cron } from "croner";

/** When a timer is due. */
export interface Schedule {
  /** The first occurrence after `after`. */
  next(after: Date): Date;
  /** Whether occurrences can be less than a minute apart. Missed runs of such a schedule are not made up for. */
  isFrequent: boolean;
}

const months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/**
 * Parses NCRONTAB in UTC: second, minute, hour, day, month, weekday. With five fields, the second is 0. As on Azure, `L`, `W`,
 * `#`, `?` and `@daily` of other cron dialects are refused.
 */
export function parseSchedule(text: string): Schedule {
  const fields = text.trim().split(/\s+/);
  if (fields.length === 5) fields.unshift("0");
  if (fields.length !== 6 || !fields.every(isField)) {
    throw new Error(
      `"${text}" is not a valid NCRONTAB schedule. Use six fields: second minute hour day month weekday.`,
    );
  }
  // NCRONTAB requires both day and weekday to match; plain cron requires only one of them.
  const cron = new Cron(fields.join(" "), {
    paused: true,
    timezone: "UTC",
    mode: "6-part",
    domAndDow: true,
    sloppyRanges: true,
  });
  const next = (after: Date): Date => {
    const found = cron.nextRun(after);
    if (found === null) throw new Error(`Schedule "${text}" never fires.`);
    return found;
  };
  return { next, isFrequent: hasShortGap(next) };
}

function isField(field: string, index: number): boolean {
  const names = { 4: months, 5: weekdays }[index] ?? [];
  const value = String.raw`(?:\d{1,2}|${names.join("|") || String.raw`\d`})`;
  const part = String.raw`(?:\*|${value}(?:-${value})?)(?:/\d{1,2})?`;
  if (!new RegExp(`^${part}(?:,${part})*$`, "i").test(field)) return false;
  return index !== 5 || !/(?<![/\d])([7-9]|\d\d)/.test(field);
}

function hasShortGap(next: (after: Date) => Date): boolean {
  let last = next(new Date("2026-01-01T00:00:00Z"));
  for (let round = 0; round < 10; round++) {
    const following = next(last);
    if (following.getTime() - last.getTime() < 60_000) return true;
    last = following;
  }
  return false;
}

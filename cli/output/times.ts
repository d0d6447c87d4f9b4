import { formatLength } from "../../shared/app.ts";

/** A moment to the minute, in UTC: `2026-12-20 18:00`. */
export function shortTime(instant: string | undefined): string | undefined {
  return instant?.slice(0, 16).replace("T", " ");
}

/** The two largest units of a length, in whole seconds; `0s` for less than one. */
export function formatSeconds(milliseconds: number): string {
  return formatLength(Math.floor(Math.max(0, milliseconds) / 1_000) * 1_000);
}

/** How long something took: to the millisecond below a second, else in seconds. */
export function formatTaken(milliseconds: number | undefined): string | undefined {
  if (milliseconds === undefined) return undefined;
  return milliseconds < 1_000 ? formatLength(milliseconds) : formatSeconds(milliseconds);
}

/** A moment and its distance from now: `2026-12-20 18:00 UTC (in 3d 4h)`. */
export function longTime(instant: string | undefined, now: number): string | undefined {
  if (instant === undefined) return undefined;
  const ahead = Date.parse(instant) - now;
  const distance = ahead >= 0 ? `in ${formatSeconds(ahead)}` : `${formatSeconds(-ahead)} ago`;
  return `${shortTime(instant) ?? ""} UTC (${distance})`;
}

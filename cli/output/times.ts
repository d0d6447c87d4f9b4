const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
] as const;

/** A moment to the minute, in UTC: `2026-12-20 18:00`. */
export function shortTime(instant: string | undefined): string | undefined {
  return instant?.slice(0, 16).replace("T", " ");
}

/** The two largest units of a length, such as `3d 4h`; `0s` for less than a second. */
export function shortLength(milliseconds: number): string {
  let left = Math.max(0, milliseconds);
  const parts: string[] = [];
  for (const [unit, length] of units) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0 || parts.length > 0) parts.push(`${count}${unit}`);
  }
  const shown = parts.slice(0, 2).filter((part) => !part.startsWith("0"));
  return shown.join(" ") || "0s";
}

/** A moment and its distance from now: `2026-12-20 18:00 UTC (in 3d 4h)`. */
export function longTime(instant: string | undefined, now: number): string | undefined {
  if (instant === undefined) return undefined;
  const ahead = Date.parse(instant) - now;
  const distance = ahead >= 0 ? `in ${shortLength(ahead)}` : `${shortLength(-ahead)} ago`;
  return `${shortTime(instant) ?? ""} UTC (${distance})`;
}

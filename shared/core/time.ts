/** A moment as an ISO 8601 string in UTC with milliseconds. Instants compare as strings. */
export type Instant = string;

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** Milliseconds by which the clocks of two workers, or of two services, may differ. */
export const clockToleranceMs = 5 * second;

export function toInstant(date: Date): Instant {
  return date.toISOString();
}

/** `milliseconds` since the epoch. Throws RangeError when there is no such date. */
export function toInstantAt(milliseconds: number): Instant {
  return toInstant(new Date(milliseconds));
}

/** Parses a day (its beginning in UTC) or a time with an offset. Undefined when the text is neither. */
export function parseInstant(text: string): Instant | undefined {
  const shape = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.exec(text);
  const day = Date.parse(`${shape?.[1] ?? ""}T00:00:00Z`);
  const moment = Date.parse(text);
  if (!shape || Number.isNaN(day) || Number.isNaN(moment)) return undefined;
  // JavaScript reads some days that do not exist, such as February 30, as other days.
  if (!new Date(day).toISOString().startsWith(shape[1] ?? "")) return undefined;
  const instant = new Date(moment).toISOString();
  // An offset can lead to a year outside 0000 to 9999, where instants do not compare as strings.
  return /^\d{4}-/.test(instant) ? instant : undefined;
}

/** The instant that many milliseconds later, or earlier when `milliseconds` is negative. */
export function plus(instant: Instant, milliseconds: number): Instant {
  return new Date(Date.parse(instant) + milliseconds).toISOString();
}

/** Milliseconds from `from` to `to`; negative when `to` is earlier. */
export function between(from: Instant, to: Instant): number {
  return Date.parse(to) - Date.parse(from);
}

/** The earliest of the given moments; undefined when all are undefined. */
export function findEarliest(...instants: (Instant | undefined)[]): Instant | undefined {
  return instants.filter((instant) => instant !== undefined).sort()[0];
}

const units: Record<string, number> = { ms: 1, s: second, m: minute, h: hour, d: day, w: 7 * day };

/** Milliseconds of a duration such as `15s`, `10m`, `4h`, `90d`, `2w`; undefined when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d|w)$/.exec(text);
  const unit = units[match?.[2] ?? ""];
  return match && unit ? Number(match[1]) * unit : undefined;
}

/** The shortest exact duration text, such as `90d` for 7,776,000,000. */
export function formatDuration(milliseconds: number): string {
  const [unit, size] = Object.entries(units)
    .filter(([name]) => name !== "w")
    .reverse()
    .find(([, length]) => milliseconds >= length && milliseconds % length === 0) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}

/** The two largest units of a length, such as `70d 16h`, for texts that people read. */
export function formatLength(milliseconds: number): string {
  const parts: string[] = [];
  let left = milliseconds;
  for (const [name, size] of [
    ["d", day],
    ["h", hour],
    ["m", minute],
    ["s", second],
    ["ms", 1],
  ] as const) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count}${name}`);
  }
  return parts.slice(0, 2).join(" ") || "0s";
}

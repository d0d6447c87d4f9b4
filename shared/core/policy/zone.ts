import { Temporal } from "temporal-polyfill";
import { day } from "../time.ts";

/**
 * A moment on the clocks of a zone, in milliseconds, written as if that clock showed UTC. Not an instant: it may not
 * exist, or exist twice.
 */
export type Wall = number;

/** From `from` on, until the next one starts, clocks are `offset` milliseconds ahead of UTC. */
export interface Stretch {
  readonly from: number;
  readonly offset: number;
}

interface Coverage {
  readonly from: number;
  readonly to: number;
  readonly stretches: readonly Stretch[];
}

/** Asking Temporal for an offset takes microseconds and is done millions of times: years of them are kept. */
const known = new Map<string, Coverage>();
const blockLength = 8 * 366 * day;

export function isTimeZone(name: string): boolean {
  // Temporal also takes whole date-times and offsets, which are no names of zones.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name)) return false;
  try {
    zoned(name, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first moment at which the clocks of the zone show this or more. */
export function instantOf(zone: string, wall: Wall): number {
  const { stretches } = covering(zone, wall);
  // No clock is a day or more away from UTC.
  for (let index = indexAt(stretches, wall - day); ; index++) {
    const { from, offset } = at(stretches, index);
    const candidate = Math.max(from, wall - offset);
    if (candidate < (stretches[index + 1]?.from ?? Infinity)) return candidate;
  }
}

export function wallOf(zone: string, instant: number): Wall {
  const { stretches } = covering(zone, instant);
  return instant + at(stretches, indexAt(stretches, instant)).offset;
}

/** The moments between the two given at which the clocks of the zone change. */
export function clockChanges(
  zone: string,
  from: number,
  to: number,
): { readonly at: number; readonly before: number; readonly after: number }[] {
  covering(zone, from);
  const { stretches } = covering(zone, to);
  return stretches.slice(1).flatMap((stretch, index) => {
    if (stretch.from < from || stretch.from >= to) return [];
    return [{ at: stretch.from, before: at(stretches, index).offset, after: stretch.offset }];
  });
}

function covering(zone: string, instant: number): Coverage {
  const found = known.get(zone);
  if (found && found.from <= instant - 2 * day && instant + 2 * day <= found.to) return found;
  const block = Math.floor(instant / blockLength) * blockLength;
  const from = Math.min(block - blockLength, found?.from ?? Infinity);
  const to = Math.max(block + 2 * blockLength, found?.to ?? -Infinity);
  const coverage = { from, to, stretches: stretchesOf(zone, from, to) };
  known.set(zone, coverage);
  return coverage;
}

function stretchesOf(zone: string, from: number, to: number): Stretch[] {
  let moment: Temporal.ZonedDateTime | null = zoned(zone, from);
  const stretches = [{ from: -Infinity, offset: moment.offsetNanoseconds / 1e6 }];
  while ((moment = moment.getTimeZoneTransition("next")) !== null) {
    if (moment.epochMilliseconds >= to) break;
    stretches.push({ from: moment.epochMilliseconds, offset: moment.offsetNanoseconds / 1e6 });
  }
  return stretches;
}

function zoned(zone: string, instant: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
}

function indexAt(stretches: readonly Stretch[], instant: number): number {
  let low = 0;
  let high = stretches.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (at(stretches, middle).from <= instant) low = middle;
    else high = middle - 1;
  }
  return low;
}

function at(stretches: readonly Stretch[], index: number): Stretch {
  return stretches[index] ?? { from: -Infinity, offset: 0 };
}

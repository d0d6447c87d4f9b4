import { Temporal } from "temporal-polyfill";
import { day } from "../../time.ts";

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

/** Asking Temporal for an offset takes microseconds and is done millions of times: years of them are kept, in blocks. */
const known = new Map<string, Map<number, readonly Stretch[]>>();
const blockLength = 8 * 366 * day;
/** A block also knows what lies this far around it. */
const around = 3 * day;
/** Beyond so many blocks everything is forgotten: names of zones may be written in many ways, and years have no end. */
const mostBlocks = 4_000;
let blocks = 0;

export function isTimeZone(name: string): boolean {
  // Temporal also takes whole date-times and offsets, which are no names of zones.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name)) return false;
  try {
    toZoned(name, 0);
    return true;
  } catch {
    return false;
  }
}

/** The first moment at which the clocks of the zone show this or more. */
export function toInstantIn(zone: string, wall: Wall): number {
  const stretches = stretchesAt(zone, wall);
  // No clock is a day or more away from UTC.
  for (let index = indexAt(stretches, wall - day); ; index++) {
    const { from, offset } = at(stretches, index);
    const candidate = Math.max(from, wall - offset);
    if (candidate < (stretches[index + 1]?.from ?? Infinity)) return candidate;
  }
}

export function toWallClock(zone: string, instant: number): Wall {
  const stretches = stretchesAt(zone, instant);
  return instant + at(stretches, indexAt(stretches, instant)).offset;
}

/** The moments between the two given at which the clocks of the zone change. */
export function clockChanges(
  zone: string,
  from: number,
  to: number,
): { readonly at: number; readonly before: number; readonly after: number }[] {
  const changes: { at: number; before: number; after: number }[] = [];
  for (let block = findBlock(from); block <= findBlock(to - 1); block++) {
    const stretches = stretchesIn(zone, block);
    for (const [index, stretch] of stretches.entries()) {
      if (stretch.from < from || stretch.from >= to || findBlock(stretch.from) !== block) continue;
      changes.push({
        at: stretch.from,
        before: at(stretches, index - 1).offset,
        after: stretch.offset,
      });
    }
  }
  return changes;
}

function findBlock(instant: number): number {
  return Math.floor(instant / blockLength);
}

function stretchesAt(zone: string, instant: number): readonly Stretch[] {
  return stretchesIn(zone, findBlock(instant));
}

function stretchesIn(zone: string, block: number): readonly Stretch[] {
  const found = known.get(zone)?.get(block);
  if (found) return found;
  if (blocks++ >= mostBlocks) {
    known.clear();
    blocks = 1;
  }
  const ofZone = known.get(zone) ?? new Map<number, readonly Stretch[]>();
  known.set(zone, ofZone);
  const from = block * blockLength - around;
  const stretches = listStretches(zone, from, from + blockLength + 2 * around);
  ofZone.set(block, stretches);
  return stretches;
}

function listStretches(zone: string, from: number, to: number): Stretch[] {
  let moment: Temporal.ZonedDateTime | null = toZoned(zone, from);
  const stretches = [{ from: -Infinity, offset: moment.offsetNanoseconds / 1e6 }];
  while ((moment = moment.getTimeZoneTransition("next")) !== null) {
    if (moment.epochMilliseconds >= to) break;
    stretches.push({ from: moment.epochMilliseconds, offset: moment.offsetNanoseconds / 1e6 });
  }
  return stretches;
}

function toZoned(zone: string, instant: number): Temporal.ZonedDateTime {
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

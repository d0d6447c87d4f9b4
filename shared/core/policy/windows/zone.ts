import { Temporal } from "temporal-polyfill";
import { day } from "../../time.ts";

/**
 * A wall time: what the clocks of a zone show, in milliseconds as if they showed UTC. It is not an instant: it may not exist,
 * or exist twice.
 */
export type Wall = number;

/** A period from `from` to the next period, in which clocks are `offset` milliseconds ahead of UTC. */
export interface Stretch {
  readonly from: number;
  readonly offset: number;
}

/** Offsets are cached in blocks of years, because Temporal takes microseconds for each and they are needed millions of times. */
const known = new Map<string, Map<number, readonly Stretch[]>>();
const blockLength = 8 * 366 * day;
/** A block also covers this time before and after it. */
const around = 3 * day;
/** The cache is cleared when it exceeds this number of blocks, because names of zones have many spellings and years no end. */
const maxBlocks = 4_000;
let blocks = 0;

export function isTimeZone(name: string): boolean {
  // Temporal also accepts date-times and offsets, which are not names of zones.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name)) return false;
  try {
    toZoned(name, 0);
    return true;
  } catch {
    return false;
  }
}

/** Returns the first moment at which the clocks of the zone show this wall time or a later one. */
export function toInstantIn(zone: string, wall: Wall): number {
  const stretches = stretchesAt(zone, wall);
  // No zone differs from UTC by a day or more.
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

/** Finds the moments between `from` and `to` at which the clocks of the zone change. */
export function findClockChanges(
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
  if (blocks++ >= maxBlocks) {
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

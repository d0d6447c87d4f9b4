import { type LiftReason, type Policy, weekdays } from "../policy.ts";
import { day, minute } from "../time.ts";
import { dayNumber, instantOn, parseTimeOfDay, weekdayOf } from "./calendar.ts";
import { cronWalls } from "./cron.ts";
import { frozenSpans, type Span, union, without } from "./freezes.ts";
import { instantOf, wallOf } from "./zone.ts";

/** A sweep is no clock: a change may start this long after an appointment, plus the spread. */
const appointmentLength = 15 * minute;

/** When a change may start: from `from` up to but not including `to`. */
export interface Openings {
  /** Whether changes start at the beginning of an opening only, and not anywhere in it. */
  readonly appointments: boolean;
  /**
   * The first opening that is not over at `now`, in which a change that may start from `from` on can start.
   * Undefined when there is none for ten years.
   */
  readonly first: (from: number, now: number) => Span | undefined;
  /** Openings that begin before `to` and end after `from`, frozen ones left out. */
  readonly between: (from: number, to: number) => Span[];
}

/** Longer than any opening, so that none reaches from one block over the next. */
const blockLength = 32 * day;
const edge = 16 * day;
const horizon = 10 * 366 * day;

/** The part of a policy that says when windows are open. */
type Hours = Pick<Policy, "days" | "between" | "at" | "cron" | "timeZone" | "freeze" | "spread">;

export interface OpeningsFor {
  /** For these reasons freezes are lifted that say so. */
  readonly lift?: LiftReason;
  /** Only freezes count. */
  readonly anyTime?: boolean;
}

const byPolicy = new WeakMap<Hours, Map<string, Openings>>();
const byHours = new Map<string, Openings>();
const mostKept = 1000;

/** The same object for the same hours: the openings it has found are kept. */
export function openingsOf(hours: Hours, { lift, anyTime = false }: OpeningsFor = {}): Openings {
  const variant = JSON.stringify([lift, anyTime]);
  const variants = byPolicy.get(hours) ?? new Map<string, Openings>();
  byPolicy.set(hours, variants);
  const found = variants.get(variant) ?? sharedOpenings(hours, variant, lift, anyTime);
  variants.set(variant, found);
  return found;
}

/** Targets with single fields of their own have a policy each, and mostly the same hours. */
function sharedOpenings(
  { days, between, at, cron, timeZone, freeze, spread }: Hours,
  variant: string,
  lift: LiftReason | undefined,
  anyTime: boolean,
): Openings {
  const hours = {
    ...(!anyTime && { days, between, at, cron, spread }),
    timeZone: timeZone ?? "UTC",
    freeze: freeze ?? [],
  };
  const key = variant + JSON.stringify(hours);
  const made = byHours.get(key) ?? makeOpenings(hours, lift);
  if (byHours.size === mostKept) byHours.clear();
  byHours.set(key, made);
  return made;
}

type OwnHours = { readonly [Field in keyof Hours]?: Hours[Field] | undefined } & {
  readonly timeZone: string;
  readonly freeze: NonNullable<Policy["freeze"]>;
};

function makeOpenings(hours: OwnHours, lift: LiftReason | undefined): Openings {
  const frozen = frozenSpans(hours.freeze, hours.timeZone, lift);
  if (isAlwaysOpen(hours)) return inSpans(without({ from: -Infinity, to: Infinity }, frozen));
  const appointments = hours.at !== undefined || hours.cron !== undefined;
  const blocks = new Map<number, Span[]>();
  const block = (number: number): Span[] => {
    const found =
      blocks.get(number) ??
      (appointments ? appointmentsIn(hours, number, frozen) : rangesIn(hours, number, frozen));
    blocks.set(number, found);
    return found;
  };
  return {
    appointments,
    first: (from, now) => {
      const after = Math.max(from, now);
      // An opening may have begun in the block before.
      for (let number = blockOf(after) - 1; number <= blockOf(after + horizon); number++) {
        const found = block(number).find(
          (span) => span.to > after && (!appointments || span.from >= from),
        );
        if (found) return found;
      }
      return undefined;
    },
    between: (from, to) => {
      const found: Span[] = [];
      for (let number = blockOf(from) - 1; number <= blockOf(to); number++) {
        found.push(...block(number).filter((span) => span.to > from && span.from < to));
      }
      return found;
    },
  };
}

function inSpans(spans: readonly Span[]): Openings {
  return {
    appointments: false,
    first: (from, now) => {
      const after = Math.max(from, now);
      return spans.find((span) => span.to > after && span.from <= after + horizon);
    },
    between: (from, to) => spans.filter((span) => span.to > from && span.from < to),
  };
}

function blockOf(instant: number): number {
  return Math.floor(instant / blockLength);
}

function inBlock(number: number, instant: number): boolean {
  return blockOf(instant) === number;
}

function appointmentsIn(hours: OwnHours, number: number, frozen: readonly Span[]): Span[] {
  const length = (hours.spread ?? 0) + appointmentLength;
  const instants = appointmentInstants(hours, number).filter((at) => inBlock(number, at));
  return [...new Set(instants)]
    .sort((a, b) => a - b)
    .flatMap((at) =>
      // One that is frozen is passed over; it does not come late when the freeze ends.
      without({ from: at, to: at + length }, frozen).filter(({ from }) => from === at),
    );
}

function appointmentInstants(hours: OwnHours, number: number): number[] {
  const { timeZone, cron, at = [] } = hours;
  if (cron !== undefined) {
    const from = wallOf(timeZone, number * blockLength) - 2 * day;
    const walls = cronWalls(cron, from, from + blockLength + 4 * day);
    return walls.map((wall) => instantOf(timeZone, wall));
  }
  return openDays(hours, number, 2 * day).flatMap((one) =>
    at.flatMap((text) => {
      const timeOfDay = parseTimeOfDay(text);
      return timeOfDay === undefined ? [] : instantOn(timeZone, one, timeOfDay);
    }),
  );
}

function rangesIn(hours: OwnHours, number: number, frozen: readonly Span[]): Span[] {
  const ranges = rangesOf(hours);
  const spans = openDays(hours, number, edge).flatMap((one) =>
    ranges.map(({ from, to }) => ({
      from: instantOn(hours.timeZone, one, from),
      to: instantOn(hours.timeZone, one, to),
    })),
  );
  // A range that lies wholly in the hour that a day lacks is empty, and nothing is left of it.
  return union(spans)
    .filter((span) => inBlock(number, span.from))
    .flatMap((span) => without(span, frozen));
}

/** Local days on which a window may begin, in a block and this far around it. */
function openDays({ timeZone, days }: OwnHours, number: number, around: number): number[] {
  const first = dayNumber(wallOf(timeZone, number * blockLength - around));
  const last = dayNumber(wallOf(timeZone, (number + 1) * blockLength + around));
  const all = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return days === undefined ? all : all.filter((one) => days.includes(weekdayOf(one)));
}

/** In milliseconds since the midnight with which the day begins; `to` may lie on the next day. */
function rangesOf({ between }: Pick<OwnHours, "between">): Span[] {
  if (between === undefined) return [{ from: 0, to: day }];
  return between.flatMap((range) => {
    const from = parseTimeOfDay(range.from);
    const to = parseTimeOfDay(range.to);
    if (from === undefined || to === undefined) return [];
    return [{ from, to: to < from ? to + day : to }];
  });
}

/** Whether the hours of a week leave no gap. Then there are no windows that open or close. */
function isAlwaysOpen(hours: Pick<OwnHours, "days" | "between" | "at" | "cron">): boolean {
  if (hours.at !== undefined || hours.cron !== undefined) return false;
  const week = weekdays.length * day;
  const starts = [...weekdays.entries()]
    .filter(([, name]) => (hours.days ?? weekdays).includes(name))
    .map(([index]) => index * day);
  // What the beginning of the week lacks may be open since the week before, and then so is the beginning of the next.
  const spans = starts.flatMap((start) =>
    rangesOf(hours).map(({ from, to }) => ({ from: start + from, to: start + to })),
  );
  return union(spans).some(({ from, to }) => to - from >= week);
}

import { day, minute } from "../../time.ts";
import type { LiftReason, Policy } from "../policy.ts";
import { type Appointments, listAppointments } from "./appointments.ts";
import { frozenSpans, type Span, without } from "./freezes.ts";
import { isAlwaysOpen, listWindows, type Windows } from "./week.ts";

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
  /** The last of the openings that begin before `to` and end after `from`. */
  readonly last: (from: number, to: number) => Span | undefined;
  /** Openings that begin before `to` and end after `from`, frozen ones left out. There may be many: take what is needed. */
  readonly each: (from: number, to: number) => Generator<Span>;
  /** The same as a list. */
  readonly between: (from: number, to: number) => Span[];
}

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

/** The same object for the same hours. */
export function findOpenings(hours: Hours, { lift, anyTime = false }: OpeningsFor = {}): Openings {
  const variant = `${lift ?? ""}/${anyTime}`;
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
  if (hours.at !== undefined || hours.cron !== undefined) {
    const length = (hours.spread ?? 0) + appointmentLength;
    return ofAppointments(listAppointments(hours), length, frozen);
  }
  if (isAlwaysOpen(hours)) return ofSpans(without({ from: -Infinity, to: Infinity }, frozen));
  return ofWindows(listWindows(hours, hours.timeZone), frozen);
}

function ofSpans(spans: readonly Span[]): Openings {
  const between = (from: number, to: number) =>
    spans.filter((span) => span.to > from && span.from < to);
  return {
    appointments: false,
    first: (from, now) => {
      const after = Math.max(from, now);
      return spans.find((span) => span.to > after && span.from <= after + horizon);
    },
    last: (from, to) => between(from, to).at(-1),
    each: function* (from, to) {
      yield* between(from, to);
    },
    between,
  };
}

/** What a freeze covers is skipped in one step, however many windows it covers. */
function ofWindows(windows: Windows, frozen: readonly Span[]): Openings {
  const each = function* (from: number, to: number): Generator<Span> {
    for (let after = from; ;) {
      const window = windows.endingAfter(after);
      if (window === undefined || window.from >= to) return;
      for (const span of without(window, frozen)) {
        if (span.to > from && span.from < to) yield span;
      }
      after = Math.max(window.to, findFreezeAt(frozen, window.to)?.to ?? window.to);
    }
  };
  return {
    appointments: false,
    first: (from, now) => {
      const after = Math.max(from, now);
      return findFirst(each(after, after + horizon + 1));
    },
    last: (from, to) => {
      for (let before = to; ;) {
        const window = windows.beginningBefore(before);
        if (window === undefined || window.to <= from) return undefined;
        const found = without(window, frozen).findLast((span) => span.from < to);
        if (found) return found.to > from ? found : undefined;
        before = Math.min(window.from, findFreezeAt(frozen, window.from)?.from ?? window.from);
      }
    },
    each,
    between: (from, to) => [...each(from, to)],
  };
}

/** An appointment in a freeze is passed over; it does not come late when the freeze ends. */
function ofAppointments(
  appointments: Appointments,
  length: number,
  frozen: readonly Span[],
): Openings {
  const spanOf = (at: number): Span => {
    const freeze = frozen.find(({ from }) => from > at);
    return { from: at, to: Math.min(at + length, freeze?.from ?? Infinity) };
  };
  const each = function* (from: number, to: number, least = -Infinity): Generator<Span> {
    for (let next = Math.max(from - length, least); ;) {
      const at = appointments.next(next, to);
      if (at === undefined || at >= to) return;
      const freeze = findFreezeAt(frozen, at);
      if (freeze) {
        next = freeze.to;
        continue;
      }
      const span = spanOf(at);
      if (span.to > from) yield span;
      // All that lie before a freeze that has begun by then end with it.
      next =
        span.to > from ? at + 1 : Math.max(at + 1, findFreezeAt(frozen, span.to)?.to ?? at + 1);
    }
  };
  return {
    appointments: true,
    first: (from, now) => {
      const after = Math.max(from, now);
      return findFirst(each(after, after + horizon + 1, from));
    },
    last: (from, to) => {
      for (let before = to; ;) {
        const at = appointments.previous(before, from - length);
        if (at === undefined) return undefined;
        const freeze = findFreezeAt(frozen, at);
        if (!freeze) {
          const span = spanOf(at);
          return span.to > from ? span : undefined;
        }
        before = freeze.from;
      }
    },
    each: (from, to) => each(from, to),
    between: (from, to) => [...each(from, to)],
  };
}

/** The freeze in force at a moment. */
function findFreezeAt(frozen: readonly Span[], moment: number): Span | undefined {
  return frozen.find(({ from, to }) => from <= moment && moment < to);
}

function findFirst(spans: Iterable<Span>): Span | undefined {
  for (const span of spans) return span;
  return undefined;
}

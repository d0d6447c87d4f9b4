import { day, minute } from "../../time.ts";
import type { LiftReason, Policy } from "../policy.ts";
import { type Appointments, listAppointments } from "./appointments.ts";
import { listFrozenSpans, type Span, subtractSpans } from "./freezes.ts";
import { isAlwaysOpen, listWindows, type Windows } from "./week.ts";

/** How long after an appointment, plus the spread, a change may still start, because sweeps are not exact. */
const appointmentLength = 15 * minute;

/** The spans in which a change may start. A span does not include `to`. */
export interface Openings {
  /** Whether changes start only at the beginning of an opening. */
  readonly appointments: boolean;
  /**
   * Finds the first opening that is not over at `now`, and in which a change can start at `from` or later. Undefined when
   * there is none in ten years.
   */
  readonly first: (from: number, now: number) => Span | undefined;
  /** Finds the last opening that begins before `to` and ends after `from`. */
  readonly last: (from: number, to: number) => Span | undefined;
  /** Iterates over the openings that begin before `to` and end after `from`, without frozen ones. There may be very many. */
  readonly each: (from: number, to: number) => Generator<Span>;
  /** Returns the openings of `each` as a list. */
  readonly between: (from: number, to: number) => Span[];
}

const horizon = 10 * 366 * day;

/** The fields of a policy that define when windows are open. */
type Hours = Pick<Policy, "days" | "between" | "at" | "cron" | "timeZone" | "freeze" | "spread">;

export interface OpeningsFor {
  /** The reason of the change, which lifts the freezes that list it. */
  readonly lift?: LiftReason;
  /** Whether windows are ignored. Freezes still apply. */
  readonly anyTime?: boolean;
}

const byPolicy = new WeakMap<Hours, Map<string, Openings>>();
const byHours = new Map<string, Openings>();
const maxCached = 1000;

/** Returns the openings of a policy. Policies with equal hours share one object. */
export function findOpenings(hours: Hours, { lift, anyTime = false }: OpeningsFor = {}): Openings {
  const variant = `${lift ?? ""}/${anyTime}`;
  const variants = byPolicy.get(hours) ?? new Map<string, Openings>();
  byPolicy.set(hours, variants);
  const found = variants.get(variant) ?? sharedOpenings(hours, variant, lift, anyTime);
  variants.set(variant, found);
  return found;
}

/** A target with overrides has its own policy, but in most cases the hours are equal to others. */
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
  if (byHours.size === maxCached) byHours.clear();
  byHours.set(key, made);
  return made;
}

type OwnHours = { readonly [Field in keyof Hours]?: Hours[Field] | undefined } & {
  readonly timeZone: string;
  readonly freeze: NonNullable<Policy["freeze"]>;
};

function makeOpenings(hours: OwnHours, lift: LiftReason | undefined): Openings {
  const frozen = listFrozenSpans(hours.freeze, hours.timeZone, lift);
  if (hours.at !== undefined || hours.cron !== undefined) {
    const length = (hours.spread ?? 0) + appointmentLength;
    return ofAppointments(listAppointments(hours), length, frozen);
  }
  if (isAlwaysOpen(hours)) return ofSpans(subtractSpans({ from: -Infinity, to: Infinity }, frozen));
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

/** A freeze is skipped in one step, even if it covers many windows. */
function ofWindows(windows: Windows, frozen: readonly Span[]): Openings {
  const each = function* (from: number, to: number): Generator<Span> {
    for (let after = from; ;) {
      const window = windows.endingAfter(after);
      if (window === undefined || window.from >= to) return;
      for (const span of subtractSpans(window, frozen)) {
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
        const found = subtractSpans(window, frozen).findLast((span) => span.from < to);
        if (found) return found.to > from ? found : undefined;
        before = Math.min(window.from, findFreezeAt(frozen, window.from)?.from ?? window.from);
      }
    },
    each,
    between: (from, to) => [...each(from, to)],
  };
}

/** An appointment in a freeze is skipped. It is not made up for when the freeze ends. */
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
      // A freeze that has begun by then ends all openings before it.
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

/** Finds the freeze that is in force at a moment. */
function findFreezeAt(frozen: readonly Span[], moment: number): Span | undefined {
  return frozen.find(({ from, to }) => from <= moment && moment < to);
}

function findFirst(spans: Iterable<Span>): Span | undefined {
  for (const span of spans) return span;
  return undefined;
}

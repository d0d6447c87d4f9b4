import type { Freeze, LiftReason } from "../policy.ts";
import { parseDay, parseMoment, toDayNumber, toInstantOn } from "./calendar.ts";

/** A span of time that does not include `to`, in milliseconds since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Returns the span of a freeze. Undefined when it cannot be parsed or ends before it begins. */
export function toSpan(freeze: Freeze, zone: string): Span | undefined {
  const from = toEdge(freeze.from, zone, 0);
  const to = toEdge(freeze.to, zone, 1);
  return from < to ? { from, to } : undefined;
}

/** Parses an edge of a freeze. `days` is added to a whole day, because the last day is included. NaN when it cannot be parsed. */
function toEdge(text: string, zone: string, days: number): number {
  const wall = parseDay(text);
  return wall === undefined
    ? (parseMoment(text) ?? NaN)
    : toInstantOn(zone, toDayNumber(wall) + days, 0);
}

/** A cache by list, because the spans of a list are needed thousands of times. A list never changes. */
const known = new WeakMap<readonly Freeze[], Map<string, readonly (Span | undefined)[]>>();

function listSpans(freezes: readonly Freeze[], zone: string): readonly (Span | undefined)[] {
  const byZone = known.get(freezes) ?? new Map<string, readonly (Span | undefined)[]>();
  known.set(freezes, byZone);
  const spans = byZone.get(zone) ?? freezes.map((freeze) => toSpan(freeze, zone));
  byZone.set(zone, spans);
  return spans;
}

function isLifted({ lift }: Freeze, reason: LiftReason | undefined): boolean {
  return lift.some((one) => one === reason);
}

/** Returns the sorted spans, without overlaps, in which no change starts for reason `lift`. */
export function listFrozenSpans(
  freezes: readonly Freeze[],
  zone: string,
  lift: LiftReason | undefined,
): Span[] {
  const spans = listSpans(freezes, zone);
  return mergeSpans(
    freezes.flatMap((freeze, index) => (isLifted(freeze, lift) ? [] : (spans[index] ?? []))),
  );
}

/** Merges spans into sorted spans that neither overlap nor touch. */
export function mergeSpans(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last && span.from <= last.to) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else {
      merged.push(span);
    }
  }
  return merged;
}

/** Returns the parts of a span outside `others`, which are sorted and do not overlap. */
export function subtractSpans(span: Span, others: readonly Span[]): Span[] {
  const left: Span[] = [];
  let { from } = span;
  for (const other of others) {
    if (other.to <= from) continue;
    if (other.from >= span.to) break;
    if (from < other.from) left.push({ from, to: other.from });
    from = other.to;
  }
  if (from < span.to) left.push({ from, to: span.to });
  return left;
}

/** Finds the freeze that delays a change at this moment. */
export function findFreeze(
  freezes: readonly Freeze[],
  zone: string,
  instant: number,
  lift?: LiftReason,
): Freeze | undefined {
  const spans = listSpans(freezes, zone);
  return freezes.find((freeze, index) => {
    if (isLifted(freeze, lift)) return false;
    const span = spans[index];
    return span !== undefined && span.from <= instant && instant < span.to;
  });
}

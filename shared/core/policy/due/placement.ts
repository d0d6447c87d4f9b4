import { createHash } from "node:crypto";
import { day, minute } from "../../time.ts";
import type { Policy } from "../policy.ts";
import type { Span } from "../windows/freezes.ts";
import { findOpenings } from "../windows/openings.ts";
import { type DueRule, findDueRules } from "./due-rules.ts";
import type { Moments } from "./facts.ts";

/** When a due rule lets the change start. All moments are in milliseconds since the epoch. */
export interface Placement {
  readonly rule: DueRule;
  /** When the change starts, including the spread. */
  readonly at: number;
  /** The first moment at which the change may start. */
  readonly permitted: number;
  readonly opening: Span;
}

export interface Decision {
  /** The earliest placement. Undefined when nothing is due. */
  readonly chosen: Placement | undefined;
  /** The other placements, earliest first. */
  readonly later: readonly Placement[];
  /** Due rules for which no window ever opens. */
  readonly lost: readonly DueRule[];
}

/** A change before the end of a secret starts so long before a window closes or a freeze begins, if the opening is longer. */
const leadBeforeClose = day;

/** Starts keep this distance from the end of an opening, because the sweep that starts them runs once a minute. */
const sweepMargin = 5 * minute;

/** Returns the position of a target in the spread, from 0 to 1. It never changes, and differs between targets. */
export function computeSpread(targetId: string): number {
  return createHash("sha256").update(targetId).digest().readUInt32BE(0) / 2 ** 32;
}

/** Decides when the next change starts. If its opening is over at `now`, the change takes the next opening. */
export function decide(
  policy: Policy,
  moments: Moments,
  now: number,
  fraction: () => number,
): Decision {
  const placed: Placement[] = [];
  const lost: DueRule[] = [];
  for (const rule of findDueRules(policy, moments)) {
    const placement = place(policy, rule, now, fraction);
    if (placement) placed.push(placement);
    else lost.push(rule);
  }
  const [chosen, ...later] = placed.sort((a, b) => a.at - b.at);
  return { chosen, later, lost };
}

function place(
  policy: Policy,
  rule: DueRule,
  now: number,
  fraction: () => number,
): Placement | undefined {
  if (rule.kind === "end") return placeBeforeEnd(policy, rule, now, fraction);
  const opening = findOpenings(policy, rule).first(rule.from, now);
  if (!opening) return undefined;
  const permitted = Math.max(rule.from, opening.from);
  const at = permitted + spreadIn(policy, rule, { from: permitted, to: opening.to }, fraction);
  return { rule, at, permitted, opening };
}

/**
 * The change before the system ends the secret starts in the last window before it is due. If that window was missed, or none opens, windows
 * are ignored, because consumers would be without a valid secret. A freeze is never ignored: the change starts before it.
 */
function placeBeforeEnd(
  policy: Policy,
  rule: DueRule,
  now: number,
  fraction: () => number,
): Placement | undefined {
  const { due, earliest = due } = rule;
  const after = Math.max(earliest, now);
  const inWindow = findOpenings(policy).last(after, due + 1);
  if (inWindow) return placeInLast(policy, rule, inWindow, fraction);
  const freely = { ...rule, anyTime: true };
  const openings = findOpenings(policy, { anyTime: true });
  const unfrozen = openings.last(after, due + 1);
  if (unfrozen) return placeInLast(policy, freely, unfrozen, fraction);
  const opening = openings.first(rule.from, now);
  const at = opening && Math.max(rule.from, opening.from);
  return opening && at !== undefined ? { rule: freely, at, permitted: at, opening } : undefined;
}

/** A window or the time before a freeze may be the last one, so the change does not wait for its end. */
function placeInLast(
  policy: Policy,
  rule: DueRule,
  opening: Span,
  fraction: () => number,
): Placement {
  const { due, earliest = due } = rule;
  const wanted = Math.min(due, opening.to - leadBeforeClose);
  const permitted = Math.max(opening.from, earliest, wanted);
  const to = Math.min(opening.to, due + sweepMargin);
  const at = permitted + spreadIn(policy, rule, { from: permitted, to }, fraction);
  return { rule, at, permitted, opening };
}

/** The first moment at which the end of the secret lets its rotation start, within a window or without one. */
export function findStartBeforeEnd(
  policy: Policy,
  moments: Moments,
  now: number,
): number | undefined {
  const rule = findDueRules(policy, moments).find(({ kind }) => kind === "end");
  return rule && place(policy, rule, now, () => 0)?.at;
}

function spreadIn(
  { spread = 0 }: Policy,
  rule: DueRule,
  { from, to }: Span,
  fraction: () => number,
): number {
  if (spread === 0 || rule.anyTime) return 0;
  const room = Math.max(0, Math.min(spread, to - sweepMargin - from));
  return Math.floor(fraction() * room);
}

import { createHash } from "node:crypto";
import { minute } from "../../time.ts";
import type { Policy } from "../policy.ts";
import type { Span } from "../windows/freezes.ts";
import { findOpenings } from "../windows/openings.ts";
import { type DueRule, findDueRules } from "./due-rules.ts";
import type { Moments } from "./facts.ts";

/** Where one claim leads. All moments in milliseconds since the epoch. */
export interface Placement {
  readonly claim: DueRule;
  /** When the change starts. */
  readonly at: number;
  /** The first moment at which it may start. */
  readonly permitted: number;
  readonly opening: Span;
}

export interface Decision {
  /** The placement that comes first; undefined when nothing is due. */
  readonly chosen: Placement | undefined;
  /** The others, earliest first. */
  readonly later: readonly Placement[];
  /** Claims for which no window ever opens. */
  readonly lost: readonly DueRule[];
}

/** Starts are kept this far from the end of an opening: the sweep that finds them comes once a minute. */
const sweepMargin = 5 * minute;

/** Where in the spread a target starts, from 0 to 1: the same for ever, and alike for no two targets. */
export function computeSpread(targetId: string): number {
  return createHash("sha256").update(targetId).digest().readUInt32BE(0) / 2 ** 32;
}

/** A start whose opening is over at `now` has been missed; the change then takes the next one. */
export function decide(
  policy: Policy,
  moments: Moments,
  now: number,
  fraction: () => number,
): Decision {
  const placed: Placement[] = [];
  const lost: DueRule[] = [];
  for (const claim of findDueRules(policy, moments)) {
    const placement = place(policy, claim, now, fraction);
    if (placement) placed.push(placement);
    else lost.push(claim);
  }
  const [chosen, ...later] = placed.sort((a, b) => a.at - b.at);
  return { chosen, later, lost };
}

function place(
  policy: Policy,
  claim: DueRule,
  now: number,
  fraction: () => number,
): Placement | undefined {
  const opening = findOpenings(policy, claim).first(claim.from, now);
  if (!opening) return undefined;
  const permitted = Math.max(claim.from, opening.from);
  const at = permitted + spreadIn(policy, claim, { from: permitted, to: opening.to }, fraction);
  return { claim, at, permitted, opening };
}

function spreadIn(
  { spread = 0 }: Policy,
  claim: DueRule,
  { from, to }: Span,
  fraction: () => number,
): number {
  if (spread === 0 || claim.anyTime) return 0;
  const room = Math.max(0, Math.min(spread, to - sweepMargin - from));
  return Math.floor(fraction() * room);
}

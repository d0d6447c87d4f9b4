import { between, type Instant, minute, plus } from "../time.ts";

/** What a request spends of: questions and changes have budgets of their own. */
export const requestKinds = ["reads", "writes"] as const;
export type RequestKind = (typeof requestKinds)[number];

/** How many requests a caller may send in a minute. A caller that was idle may send as many at once. */
export type RequestLimits = Readonly<Record<RequestKind, number>>;

export const defaultLimits: RequestLimits = { reads: 3_000, writes: 600 };

/** The most that a minute can be divided into, because moments are whole milliseconds. */
export const maxPerMinute = 10_000;

export interface Spent {
  /** When the bucket is full again: all that is stored of it. */
  readonly fullAt: Instant;
  /** How many more requests could be sent now. */
  readonly remaining: number;
  /** Milliseconds until the bucket has what was wanted; 0 if it has it now. */
  readonly wait: number;
}

/** Takes some tokens from a bucket that holds `perMinute` and refills evenly. Nothing else decides whether they may be taken. */
export function spend(
  fullAt: Instant | undefined,
  tokens: number,
  perMinute: number,
  now: Instant,
): Spent {
  const each = minute / perMinute;
  // A bucket is never emptier than empty, so a moment that is further ahead comes from another clock.
  const missing = fullAt === undefined ? 0 : Math.min(Math.max(0, between(now, fullAt)), minute);
  const after = missing + tokens * each;
  return {
    fullAt: plus(now, Math.min(Math.round(after), minute)),
    remaining: Math.max(0, Math.floor((minute - after) / each)),
    wait: Math.max(0, Math.ceil(after - minute)),
  };
}

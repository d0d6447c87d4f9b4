/**
 * What the simulation takes for true about Azure. The limits are documented (docs/explanation/scale.md names the pages); the latencies
 * are assumptions about services of one region, as medians.
 */
export const medianMs = {
  /** A transaction of Table storage, or the read of one row. */
  table: 10,
  /** One page of a list in Table storage. */
  tablePage: 30,
  queue: 8,
  vaultRead: 15,
  vaultCreate: 40,
  vaultUpdate: 30,
  /** A connection with TLS and a log-in, and what is asked in it. */
  logIn: 60,
  /** What a change takes beyond its log-in. */
  change: 15,
} as const;

/** Of Table storage and Queue storage, each second. */
export const storageLimits = {
  /** Entities of one partition of a table. */
  partition: 2_000,
  /** Entities and requests of the whole account. */
  account: 20_000,
  /** Messages of one queue. */
  queue: 2_000,
} as const;

/** How `shared/vaults` uses the client: so many tries more, and no longer waits than that. */
export const vaultRetries = { most: 2, longestPauseMs: 5_000 } as const;

/** How `shared/stores` uses the clients. */
export const storageRetries = { most: 3, firstPauseMs: 200 } as const;

/** Draws from 0 to 1, the same ones for the same seed. */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How far one latency may be from the median: one in 20 is twice as long, one in 1,000 four times. */
const deviation = 0.42;

/** Makes latencies with a long tail (log-normal) from their median. */
export function latencies(draw: () => number): (median: number) => number {
  return (median) => {
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    return median * Math.exp(deviation * normal);
  };
}

/** A limit by the second. */
export interface RateLimit {
  /** Whether so many more are allowed now; those that are not do not count. */
  take(count: number, now: number): boolean;
  refused: number;
}

export function rateLimit(perSecond: number): RateLimit {
  let [second, taken] = [0, 0];
  return {
    refused: 0,
    take(count, now) {
      const current = Math.floor(now / 1_000);
      if (current !== second) [second, taken] = [current, 0];
      if (taken + count > perSecond) {
        this.refused += 1;
        return false;
      }
      taken += count;
      return true;
    },
  };
}

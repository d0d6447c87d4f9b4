/**
 * The assumptions of the simulation about Azure. The limits are documented (docs/explanation/scale.md names the pages); the latencies
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
  /** A connection with TLS, a log-in and its queries. */
  logIn: 60,
  /** A change, in addition to its log-in. */
  change: 15,
} as const;

/** Limits of Table storage and Queue storage, for each second. */
export const storageLimits = {
  /** Entities of one partition of a table. */
  partition: 2_000,
  /** Entities and requests of the whole account. */
  account: 20_000,
  /** Messages of one queue. */
  queue: 2_000,
} as const;

/** The retries of the client in `shared/vaults`: their maximum number and longest wait. */
export const vaultRetries = { most: 2, maxPauseMs: 5_000 } as const;

/** The retries of the clients in `shared/stores`. */
export const storageRetries = { most: 3, firstPauseMs: 200 } as const;

/** Makes numbers from 0 to 1, the same ones for the same seed. */
export function draws(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The spread of latencies: one in 20 is twice the median, one in 1,000 four times. */
const deviation = 0.42;

/** Makes latencies with a long tail (log-normal) from their median. */
export function latencies(draw: () => number): (median: number) => number {
  return (median) => {
    const normal = Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
    return median * Math.exp(deviation * normal);
  };
}

/** A limit for each second. */
export interface RateLimit {
  /** Whether `count` more are allowed now. Refused ones do not count. */
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

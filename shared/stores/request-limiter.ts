import type { RequestKind } from "../core/limits/token-bucket.ts";

/** Whether a request may be answered, and what is left of the budget of its caller. */
export interface Admission {
  /** Milliseconds after which the caller may send again; 0 for a request that is admitted. */
  readonly wait: number;
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until the whole budget is available. */
  readonly fullIn: number;
}

/**
 * Limits how many requests each caller sends to all instances together. It is approximate and never blocks the API: without its
 * storage, each instance limits by itself.
 */
export interface RequestLimiter {
  /** `caller`: letters and digits that identify the caller. */
  admit(caller: string, kind: RequestKind): Promise<Admission>;
}

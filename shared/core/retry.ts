import { createHash } from "node:crypto";
import type { RetryPolicy } from "./policy.ts";

/**
 * Milliseconds until the next try after `failures` failures in a row. Up to a tenth (or what the policy says) is
 * added, derived from `seed`, so that targets that failed together do not come back together and a restart changes nothing.
 */
export function retryDelay(retry: RetryPolicy, failures: number, seed: string): number {
  const distance = failures < retry.attempts ? retry.every : retry.thenEvery;
  const digest = createHash("sha256").update(`${seed}/${failures}`).digest();
  return Math.round(distance * (1 + (digest.readUInt32BE(0) / 2 ** 32) * (retry.jitter ?? 0.1)));
}

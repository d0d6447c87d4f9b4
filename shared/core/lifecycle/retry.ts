import { createHash } from "node:crypto";
import type { ErrorKind } from "../errors.ts";
import type { RetryPolicy } from "../policy/policy.ts";
import { minute, second } from "../time.ts";

/**
 * Milliseconds until the next try after `failures` failures in a row. Up to a tenth (or the policy's `jitter`) is added, so that
 * targets that failed together do not retry together. It is derived from `seed`, so a restart does not change it.
 */
export function retryDelay(retry: RetryPolicy, failures: number, seed: string): number {
  const distance = failures < retry.attempts ? retry.every : retry.thenEvery;
  return withJitter(distance, retry, failures, seed);
}

/** Whether the target or the vault could not be reached, so that nothing is known to be wrong. */
export const isAway = ({ kind }: { readonly kind: ErrorKind }): boolean =>
  kind === "target-unavailable" || kind === "vault-unavailable";

const soonMs = 5 * second;
const growth = 3;
/** A call to a server or vault that is down does no harm, so short intervals end the wait of consumers soon after it is back. */
const maxSoonMs = 5 * minute;
/** Each try may be a wrong password, or a change that the server has to make. */
const maxUrgentMs = 30 * minute;

/**
 * Milliseconds until the next try when consumers cannot log in until it succeeds. It starts with seconds and grows to half an hour,
 * or to five minutes while the target or the vault cannot be reached. A shorter `thenEvery` limits it.
 */
export function computeUrgentRetryDelay(
  retry: RetryPolicy,
  failures: number,
  seed: string,
  wasUnavailable: boolean,
): number {
  const longest = Math.min(retry.thenEvery, wasUnavailable ? maxSoonMs : maxUrgentMs);
  const distance = Math.min(soonMs * growth ** (failures - 1), longest);
  return withJitter(distance, retry, failures, seed);
}

/** The longest wait before the next try, in milliseconds, up to that many failures in a row. */
const publishingTries = [
  { failures: 1, within: second },
  { failures: 20, within: 5 * second },
  { failures: 60, within: minute / 2 },
];

/**
 * Milliseconds until the next try while the target has the new secret and the vault cannot be reached: within a second, then every
 * few seconds, and after minutes less often. Every moment up to the longest wait is equally likely.
 */
export function computePublishingRetryDelay(failures: number, seed: string): number {
  const { within = maxSoonMs } = publishingTries.find((one) => failures <= one.failures) ?? {};
  return Math.round(within * computeShare(failures, seed));
}

function withJitter(distance: number, retry: RetryPolicy, failures: number, seed: string): number {
  return Math.round(distance * (1 + computeShare(failures, seed) * (retry.jitter ?? 0.1)));
}

/** A number from 0 to 1 that is the same for the same try of the same target. */
function computeShare(failures: number, seed: string): number {
  const digest = createHash("sha256").update(`${seed}/${failures}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

import { createHash } from "node:crypto";
import type { ErrorKind } from "../errors.ts";
import type { RetryPolicy } from "../policy/policy.ts";
import { minute, second } from "../time.ts";

/**
 * Milliseconds until the next try after `failures` failures in a row. Up to a tenth (or what the policy says) is
 * added, derived from `seed`, so that targets that failed together do not come back together and a restart changes nothing.
 */
export function retryDelay(retry: RetryPolicy, failures: number, seed: string): number {
  const distance = failures < retry.attempts ? retry.every : retry.thenEvery;
  return withJitter(distance, retry, failures, seed);
}

/** Whether nothing could be asked, so that nobody knows whether anything is wrong. */
export const isAway = ({ kind }: { readonly kind: ErrorKind }): boolean =>
  kind === "target-unavailable" || kind === "vault-unavailable";

const soonMs = 5 * second;
const growth = 3;
/** Asking a server or a vault that is down costs nobody anything, so consumers need not wait long after it is back. */
const maxSoonMs = 5 * minute;
/** Each try may be a wrong guess, or a change that the server has to make. */
const maxUrgentMs = 30 * minute;

/**
 * Milliseconds until the next try when consumers are refused until it succeeds: seconds first, then ever longer, up to
 * half an hour; up to five minutes when nothing could be asked at all. `thenEvery` may be shorter.
 */
export function urgentRetryDelay(
  retry: RetryPolicy,
  failures: number,
  seed: string,
  wasUnavailable: boolean,
): number {
  const longest = Math.min(retry.thenEvery, wasUnavailable ? maxSoonMs : maxUrgentMs);
  const distance = Math.min(soonMs * growth ** (failures - 1), longest);
  return withJitter(distance, retry, failures, seed);
}

/** Failures in a row, and within how many milliseconds the next try comes while there are no more of them. */
const publishingTries = [
  { failures: 1, within: second },
  { failures: 20, within: 5 * second },
  { failures: 60, within: minute / 2 },
];

/**
 * Milliseconds until the next try while the target has the new secret and the vault cannot be asked: within a second, then every
 * few seconds, and after minutes ever more rarely. Any moment until then is equally likely.
 */
export function publishingRetryDelay(failures: number, seed: string): number {
  const { within = maxSoonMs } = publishingTries.find((one) => failures <= one.failures) ?? {};
  return Math.round(within * computeShare(failures, seed));
}

function withJitter(distance: number, retry: RetryPolicy, failures: number, seed: string): number {
  return Math.round(distance * (1 + computeShare(failures, seed) * (retry.jitter ?? 0.1)));
}

/** From 0 to 1, the same for the same try of the same target. */
function computeShare(failures: number, seed: string): number {
  const digest = createHash("sha256").update(`${seed}/${failures}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

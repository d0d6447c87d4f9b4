const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Seconds before the second, third … attempt. The last value repeats. */
const STEPS = [10, 30, MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR];
const LAST_STEP = 12 * HOUR;

/** Codes after which a retry cannot succeed. */
const HOPELESS = new Set([400, 401, 403, 413]);

/** The minimum wait after a code, in seconds. */
const AT_LEAST = new Map([
  [404, 5 * MINUTE],
  [408, 2 * MINUTE],
  [503, 30],
]);

/** The largest random addition to a wait, as a fraction of it. */
const JITTER = 0.1;

export interface RetryPolicy {
  /** 1-30. */
  readonly maxDeliveryAttempts: number;
  /** 1-1440. */
  readonly timeToLiveMinutes: number;
}

/** HTTP status of an attempt; undefined when there was no reply in time. */
export type DeliveryStatus = number | undefined;

export type DeadLetterReason =
  "MaxDeliveryAttemptsExceeded" | "TimeToLiveExceeded" | "DeliveryRefused";

export type Verdict = { readonly retryIn: number } | { readonly giveUp: DeadLetterReason };

export const isDelivered = (status: DeliveryStatus): boolean =>
  status !== undefined && status >= 200 && status <= 204;

/**
 * Decides what follows a failed attempt. Times are in seconds. `attempts` includes the failed attempt, `waited` is the sum of the
 * waits so far, and `random` is from 0 to 1.
 */
export function decideAfterFailure(
  status: DeliveryStatus,
  so: { readonly attempts: number; readonly waited: number; readonly random: number },
  policy: RetryPolicy,
): Verdict {
  if (status !== undefined && HOPELESS.has(status)) return { giveUp: "DeliveryRefused" };
  if (so.attempts >= policy.maxDeliveryAttempts) return { giveUp: "MaxDeliveryAttemptsExceeded" };
  const step = STEPS[so.attempts - 1] ?? LAST_STEP;
  const wait = Math.max(step, AT_LEAST.get(status ?? 0) ?? 0) * (1 + JITTER * so.random);
  if (so.waited + wait > policy.timeToLiveMinutes * MINUTE) return { giveUp: "TimeToLiveExceeded" };
  return { retryIn: wait };
}

const OUTCOMES = new Map([
  [400, "BadRequest"],
  [401, "Unauthorized"],
  [403, "Forbidden"],
  [404, "NotFound"],
  [408, "TimedOut"],
  [413, "PayloadTooLarge"],
  [503, "Busy"],
]);

/** Returns the service's word for the result. */
export const classifyAnswer = (status: DeliveryStatus): string =>
  status === undefined ? "TimedOut" : (OUTCOMES.get(status) ?? "GenericError");

import type { Failure, Rotation, TargetRecord } from "../record/record.ts";
import { mayHaveChanged } from "../record/rotation.ts";
import { between, type Instant, minute, plus } from "../time.ts";
import { notify } from "./notifications.ts";

/** Milliseconds after which people are notified of a vault that throttles a rotation. */
export const maxThrottledMs = 10 * minute;

/** The pause grows with the time that the vault has throttled, because each call takes from the limit that it enforces. */
const maxPauseMs = 5 * minute;

/**
 * Whether the rotation waits for a vault that throttles it without using up an attempt. Between a change and its check consumers may be
 * refused, so the vault is tried again sooner. After that, only a pending version is left to disable, which is not worth a rotation that stays open for long.
 */
export function mayWaitForVault(rotation: Rotation, now: Instant): boolean {
  if (!mayHaveChanged(rotation)) return true;
  return rotation.phase === "cleaning" && !isThrottledForLong(rotation, now);
}

/** The rotation while it waits. `retryAfter` is what the vault demands, in milliseconds. */
export function withThrottle(
  rotation: Rotation,
  { retryAfter, message }: { readonly retryAfter: number; readonly message: string },
  now: Instant,
): Rotation {
  const { throttledSince = now } = rotation;
  const grown = Math.min(between(throttledSince, now) / 4, maxPauseMs);
  const nextAttemptAt = plus(now, Math.max(retryAfter, Math.round(grown)));
  return { ...rotation, throttledSince, nextAttemptAt, heldBy: message };
}

/** The record with an alarm, once, after the vault has throttled its rotation for long. Else the same record. */
export function reportLongThrottle(record: TargetRecord, failure: Failure): TargetRecord {
  const { rotation, lastFailure } = record;
  const { throttledSince = failure.at } = rotation ?? {};
  const isReported = lastFailure !== undefined && lastFailure.at >= throttledSince;
  if (!rotation || isReported || !isThrottledForLong(rotation, failure.at)) return record;
  const message = `Rotation ${rotation.id} has waited for a busy vault since ${throttledSince}. It has changed nothing and continues by itself. Find out who uses up the limit of the vault. ${failure.message}`;
  return notify(
    { ...record, health: "failing", lastFailure: failure },
    {
      type: "alarm",
      at: failure.at,
      data: { kind: "vault-throttled", message },
      about: `vault-throttled/${throttledSince}`,
    },
  );
}

function isThrottledForLong({ throttledSince }: Rotation, now: Instant): boolean {
  return throttledSince !== undefined && between(throttledSince, now) >= maxThrottledMs;
}

import type { TargetRecord } from "../record/record.ts";
import { isSameVersion, type Target, type VersionRef } from "../target.ts";
import { type Instant, plus } from "../time.ts";
import { notify } from "./notifications.ts";
import { retryDelay } from "./retry.ts";

/** The record whose consumers must be notified of the version now. Nothing happens where the target has none. */
export function withRefresh(
  record: TargetRecord,
  { consumers }: Target,
  { published, rotationId }: { readonly published: VersionRef; readonly rotationId: string },
  now: Instant,
): TargetRecord {
  if (consumers.length === 0) return record;
  return { ...record, refresh: { published, rotationId, at: now, failures: 0 } };
}

export function withoutRefresh({ refresh: _, ...record }: TargetRecord): TargetRecord {
  return record;
}

/** Whether consumers read another version by now, of which somebody else notifies them. */
export const isRefreshOver = ({ refresh, published }: TargetRecord): boolean =>
  refresh !== undefined && !isSameVersion(refresh.published, published);

/** The record after consumers could not be notified. They are notified until all have the version; an alarm says once that one stays away. */
export function withRefreshLater(
  record: TargetRecord,
  { id, policy }: Target,
  why: string,
  now: Instant,
): TargetRecord {
  const { refresh } = record;
  if (!refresh) return record;
  const failures = refresh.failures + 1;
  const delay = retryDelay(policy.retry, failures, refresh.rotationId);
  const waiting = { ...record, refresh: { ...refresh, failures, at: plus(now, delay) } };
  if (failures !== policy.retry.attempts) return waiting;
  const message =
    `Consumers of target ${id} could not be notified of version ${refresh.published.version} of ${refresh.published.name}: ${why}. ` +
    "They may use an earlier secret until they read it again. Keyturn continues to try.";
  const about = `${refresh.published.version}/refresh`;
  return notify(waiting, { type: "alarm", at: now, data: { kind: "refresh", message }, about });
}

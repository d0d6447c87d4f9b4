import {
  type Failure,
  type Notification,
  type NotificationType,
  type Rotation,
  type TargetRecord,
} from "../record/record.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import { type Instant } from "../time.ts";

/** The oldest notifications are dropped, so that a channel that is down for days does not stop a rotation. */
const outboxLimit = 20;

export interface NotificationInput {
  readonly type: NotificationType;
  readonly at: Instant;
  readonly data: Notification["data"] & { readonly rotationId?: string; readonly version?: string };
  /** Part of the id; by default the rotation, else the version, else the time. */
  readonly about?: string;
}

/** Adds a notification. Its id depends only on the event, so a repeat after a crash has the same id. */
export function notify(
  record: TargetRecord,
  { type, at, data, about = data.rotationId ?? data.version ?? at }: NotificationInput,
): TargetRecord {
  const notification = {
    id: `${record.targetId}/${about}/${type}`,
    type,
    targetId: record.targetId,
    at,
    data: brief(data),
  };
  // A repeated notification replaces the waiting one instead of pushing out others.
  const others = record.outbox.filter(({ id }) => id !== notification.id);
  return { ...record, outbox: [...others, notification].slice(-outboxLimit) };
}

function brief(data: Notification["data"]): Notification["data"] {
  const fields = Object.entries(data).map(([name, value]) => [
    name,
    typeof value === "string" ? shorten(value, maxWhyLength) : value,
  ]);
  return Object.fromEntries(fields) as Notification["data"];
}

export function toRotationData(
  rotation: Rotation,
): Record<string, string> & { rotationId: string } {
  const { id, account, reason: cause, justification } = rotation;
  return { rotationId: id, account, cause, ...justification };
}

export function toFailureData(
  rotation: Rotation,
  failure: Failure,
): Record<string, string> & { rotationId: string } {
  return { ...toRotationData(rotation), kind: failure.kind, message: failure.message };
}

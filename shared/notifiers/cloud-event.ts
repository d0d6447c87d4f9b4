import type { Notification, NotificationType } from "../core/record/rotation.ts";

/** Names by which receivers filter; never changed. */
const types: Record<NotificationType, string> = {
  "rotation.started": "Keyturn.Rotation.Started",
  "rotation.succeeded": "Keyturn.Rotation.Succeeded",
  "rotation.failed": "Keyturn.Rotation.Failed",
  "rotation.blocked": "Keyturn.Rotation.Blocked",
  "rotation.stalled": "Keyturn.Rotation.Stalled",
  "credential.adopted": "Keyturn.Credential.Adopted",
  "credential.retired": "Keyturn.Credential.Retired",
  "drift.found": "Keyturn.Drift.Found",
  alarm: "Keyturn.Alarm",
};

/** Who says it, unless the configuration tells several installations apart. What it is about is the subject. */
export const defaultSource = "/keyturn";

export interface CloudEvent {
  /** The notification's own: a receiver that has seen it may ignore the event. */
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** Target id. */
  readonly subject: string;
  readonly time: Date;
  readonly datacontenttype: "application/json";
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

export function toCloudEvent(notification: Notification, source: string): CloudEvent {
  return {
    id: notification.id,
    type: types[notification.type],
    source,
    subject: notification.targetId,
    time: new Date(notification.at),
    datacontenttype: "application/json",
    data: { ...notification.data, targetId: notification.targetId },
  };
}

import type { Notification, NotificationType } from "../core/record/record.ts";

/** The names by which receivers filter. They never change. */
const types: Record<NotificationType, string> = {
  "rotation.started": "Keyturn.Rotation.Started",
  "rotation.succeeded": "Keyturn.Rotation.Succeeded",
  "rotation.failed": "Keyturn.Rotation.Failed",
  "rotation.blocked": "Keyturn.Rotation.Blocked",
  "rotation.stalled": "Keyturn.Rotation.Stalled",
  "credential.adopted": "Keyturn.Credential.Adopted",
  "credential.retired": "Keyturn.Credential.Retired",
  "drift.found": "Keyturn.Drift.Found",
  "ledger.sealed": "Keyturn.Ledger.Sealed",
  "breach.started": "Keyturn.Breach.Started",
  "breach.ended": "Keyturn.Breach.Ended",
  alarm: "Keyturn.Alarm",
};

/** The default source. The configuration can name another one for each installation. The subject names the target. */
export const defaultSource = "/keyturn";

export interface CloudEvent {
  /** The id of the notification. A receiver that has seen it can ignore the event. */
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** The id of the target. */
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

import type { Notification } from "../core/record/rotation.ts";

/** A channel that is told about events, at least once each, always with the same id. Throws when it could not tell. */
export interface Notifier {
  /** Such as `event-grid my-topic`; for logs. */
  readonly name: string;
  send(notifications: readonly Notification[], signal: AbortSignal): Promise<void>;
}

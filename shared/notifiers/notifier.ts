import type { Notification } from "../core/record/record.ts";

/** A channel that receives each event at least once, always with the same id. Throws when the delivery fails. */
export interface Notifier {
  /** The name in logs, such as `event-grid my-topic`. */
  readonly name: string;
  send(notifications: readonly Notification[], signal: AbortSignal): Promise<void>;
}

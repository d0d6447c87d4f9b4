import type { Notification } from "../core/record/record.ts";
import type { Notifier } from "./notifier.ts";

export interface MemoryNotifier extends Notifier {
  /** All notifications so far, in order, including repeated ones. */
  readonly sent: readonly Notification[];
  /** While true, every delivery fails. */
  broken: boolean;
}

export function makeMemoryNotifier(name = "memory"): MemoryNotifier {
  const sent: Notification[] = [];
  const notifier: MemoryNotifier = {
    name,
    sent,
    broken: false,
    async send(notifications, signal) {
      await Promise.resolve();
      if (notifier.broken || signal.aborted)
        throw new Error(`The notifier ${name} delivered nothing.`);
      sent.push(...notifications);
    },
  };
  return notifier;
}

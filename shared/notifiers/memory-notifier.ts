import type { Notification } from "../core/record/rotation.ts";
import type { Notifier } from "./notifier.ts";

export interface MemoryNotifier extends Notifier {
  /** Everything told so far, in order; what was told twice is here twice. */
  readonly sent: readonly Notification[];
  /** While true, nothing can be told. */
  broken: boolean;
}

export function memoryNotifier(name = "memory"): MemoryNotifier {
  const sent: Notification[] = [];
  const notifier: MemoryNotifier = {
    name,
    sent,
    broken: false,
    async send(notifications, signal) {
      await Promise.resolve();
      if (notifier.broken || signal.aborted) throw new Error(`The notifier ${name} told nobody.`);
      sent.push(...notifications);
    },
  };
  return notifier;
}

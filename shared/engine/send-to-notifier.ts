import { deadlines } from "../core/deadlines.ts";
import { toEvent } from "../core/events.ts";
import type { Notification } from "../core/record/record.ts";
import { toInstant } from "../core/time.ts";
import type { Notifier } from "../notifiers/notifier.ts";
import type { Ports } from "./ports.ts";

/** Returns whether the notifier has received the notifications. A failure is only logged. */
export async function sendToNotifier(
  { journal, emit, deadline }: Pick<Ports, "journal" | "emit" | "deadline">,
  notifier: Notifier,
  news: readonly Notification[],
): Promise<boolean> {
  try {
    await notifier.send(news, deadline(deadlines.notify));
    return true;
  } catch {
    const at = toInstant(journal.now());
    emit(toEvent({ type: "notification-failed", at, detail: notifier.name }));
    return false;
  }
}

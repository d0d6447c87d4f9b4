import { deadlines } from "../core/deadlines.ts";
import { type KeyturnEvent, toEvent } from "../core/events.ts";
import { toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";

type AlarmPorts = Pick<Ports, "journal" | "notifiers" | "newId" | "emit" | "deadline">;

/**
 * Something that no rotation can answer for: a message nobody can read, or one the host gave up on. Recorded, logged,
 * and told to every notifier; never with the message itself in it.
 */
export async function raiseAlarm(
  ports: AlarmPorts,
  type: KeyturnEvent["type"],
  message: string,
  targetId?: string,
): Promise<void> {
  const at = toInstant(ports.journal.now());
  const id = ports.newId();
  ports.emit(toEvent({ type, at, detail: message, ...(targetId !== undefined && { targetId }) }));
  await ports.journal.raise({
    id,
    at,
    kind: type,
    message,
    ...(targetId !== undefined && { targetId }),
  });
  const about = targetId ?? "keyturn";
  const notification = {
    id: `${about}/${id}/alarm`,
    type: "alarm",
    targetId: about,
    at,
    data: { kind: type, message },
  } as const;
  await Promise.all(
    ports.notifiers.map(async (notifier) => {
      try {
        await notifier.send([notification], ports.deadline(deadlines.notify));
      } catch {
        ports.emit(toEvent({ type: "notification-failed", at, detail: notifier.name }));
      }
    }),
  );
}

import { deadlines } from "../core/deadlines.ts";
import { type KeyturnEvent, toEvent } from "../core/events.ts";
import { type Instant, toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";

type AlarmPorts = Pick<Ports, "journal" | "notifiers" | "newId" | "emit" | "deadline">;

export interface AlarmAbout {
  readonly targetId?: string;
  /** When it happened, and its id, where every instance can know both: then the alarms of all of them are one. */
  readonly at?: Instant;
  readonly id?: string;
}

/** An alarm that does not depend on who raises it. */
export interface KnownAlarm {
  readonly kind: KeyturnEvent["type"];
  readonly message: string;
  readonly at: Instant;
  readonly id: string;
}

/**
 * Something that no rotation can answer for: a message nobody can read, or one the host gave up on. Recorded, logged,
 * and told to every notifier; never with the message itself in it.
 */
export async function raiseAlarm(
  ports: AlarmPorts,
  type: KeyturnEvent["type"],
  message: string,
  about: AlarmAbout = {},
): Promise<void> {
  const { targetId, at = toInstant(ports.journal.now()), id = ports.newId() } = about;
  ports.emit(toEvent({ type, at, detail: message, ...(targetId !== undefined && { targetId }) }));
  await ports.journal.raise({
    id,
    at,
    kind: type,
    message,
    ...(targetId !== undefined && { targetId }),
  });
  const subject = targetId ?? "keyturn";
  const notification = {
    id: `${subject}/${id}/alarm`,
    type: "alarm",
    targetId: subject,
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

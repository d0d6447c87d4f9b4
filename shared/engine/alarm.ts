import { type KeyturnEvent, toEvent } from "../core/events.ts";
import { type Instant, toInstant } from "../core/time.ts";
import type { Ports } from "./ports.ts";
import { sendToNotifier } from "./send-to-notifier.ts";

type AlarmPorts = Pick<Ports, "journal" | "notifiers" | "newId" | "emit" | "deadline">;

export interface AlarmAbout {
  readonly targetId?: string;
  /** Set when every instance can derive the same moment and id: their alarms are then one and the same. */
  readonly at?: Instant;
  readonly id?: string;
}

/** An alarm with the same content and id on every instance that raises it. */
export interface KnownAlarm {
  readonly kind: KeyturnEvent["type"];
  readonly message: string;
  readonly at: Instant;
  readonly id: string;
}

/**
 * Raises an alarm that belongs to no rotation: an unreadable queue message, for example, or one that the host dropped. Keyturn stores
 * it, logs it, and sends it to every notifier. The alarm never contains the queue message itself.
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
  await Promise.all(ports.notifiers.map((one) => sendToNotifier(ports, one, [notification])));
}

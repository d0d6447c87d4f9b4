import { deadlines } from "../../core/deadlines.ts";
import { withDelivered } from "../../core/record/outbox.ts";
import type { Notification, TargetRecord } from "../../core/record/record.ts";
import { redact } from "../../core/secrets/redact.ts";
import { shorten } from "../../core/shorten.ts";
import { day, minute, plus } from "../../core/time.ts";
import type { Notifier } from "../../notifiers/notifier.ts";
import type { TargetSession } from "../session.ts";
import { listFollowing } from "./followers.ts";

/**
 * Sends every notification in the outbox to every notifier. A failed notification stays in the outbox for that notifier and is sent
 * again with the same id, so that delivery is at least once; after a day Keyturn drops it. A rotation never waits for a notifier.
 */
export async function flushOutbox(session: TargetSession): Promise<void> {
  const { outbox } = session.record();
  const notifiers = [...session.ports.notifiers, ...listFollowing(session)];
  const hasReceivers = notifiers.length > 0 || outbox.some(isAlarm);
  // Write the record first: receivers of a notification must find its facts in the journal.
  if (hasReceivers) await session.flush();
  await session.hold();
  await keepAlarms(session, outbox);
  const delivered = await Promise.all(notifiers.map((one) => deliver(session, one, outbox)));
  const names = notifiers.filter((_, index) => delivered[index]).map(({ name }) => name);
  const all = notifiers.map(({ name }) => name);
  const waiting = withDelivered(outbox, all, names);
  session.stage(withOutbox(session, waiting));
}

/** Stores alarms, so that they can be read even without notifiers. An alarm that is stored twice has the same key. */
async function keepAlarms(session: TargetSession, outbox: readonly Notification[]): Promise<void> {
  const { journal } = session.ports;
  for (const { id, at, targetId, data, toldTo } of outbox.filter(isAlarm)) {
    if (toldTo !== undefined) continue;
    const [kind, message] = [String(data["kind"]), String(data["message"])];
    await journal.raise({ id, at, kind, message, targetId });
  }
}

const isAlarm = ({ type }: Notification): boolean => type === "alarm";

async function deliver(
  session: TargetSession,
  notifier: Notifier,
  outbox: readonly Notification[],
): Promise<boolean> {
  const news = outbox.filter(({ toldTo }) => !toldTo?.includes(notifier.name));
  if (news.length === 0) return true;
  try {
    const plain = news.map(({ toldTo: _, ...notification }) => notification);
    await notifier.send(plain, session.ports.deadline(deadlines.notify));
    return true;
  } catch (error) {
    const text = error instanceof Error ? error.message : "a value that is not an Error was thrown";
    const detail = `${notifier.name}: ${shorten(redact(text, session.secrets()), 500)}`;
    session.emit({ type: "notification-failed", detail });
    return false;
  }
}

function withOutbox(session: TargetSession, waiting: readonly Notification[]): TargetRecord {
  const now = session.now();
  const { outboxRetryAt: _, ...rest } = session.record();
  const oldest = plus(now, -day);
  const outbox = waiting.filter(({ at }) => at > oldest);
  for (const { id } of waiting.filter(({ at }) => at <= oldest)) {
    session.emit({
      type: "notification-failed",
      detail: `${id} was not delivered within 24h and was dropped`,
    });
  }
  return outbox.length === 0
    ? { ...rest, outbox }
    : { ...rest, outbox, outboxRetryAt: plus(now, minute) };
}

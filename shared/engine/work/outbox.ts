import { deadlines } from "../../core/deadlines.ts";
import { withDelivered } from "../../core/record/outbox.ts";
import type { Notification, TargetRecord } from "../../core/record/rotation.ts";
import { redact } from "../../core/secrets/redact.ts";
import { shorten } from "../../core/shorten.ts";
import { day, minute, plus } from "../../core/time.ts";
import type { Notifier } from "../../notifiers/notifier.ts";
import type { Session } from "../session.ts";

/**
 * Tells every notifier what waits in the outbox. What one of them has not heard stays there for it and is told again,
 * with the same ids, so that each notification is heard at least once; after a day it is given up. A rotation never
 * waits for a notifier.
 */
export async function flushOutbox(session: Session): Promise<void> {
  const { outbox } = session.record();
  const { notifiers } = session.ports;
  const isAnybodyTold = notifiers.length > 0 || outbox.some(isAlarm);
  // What is told has happened, for everybody who asks.
  if (isAnybodyTold) await session.flush();
  await session.hold();
  await keepAlarms(session, outbox);
  const heard = await Promise.all(notifiers.map((one) => tell(session, one, outbox)));
  const names = notifiers.filter((_, index) => heard[index]).map(({ name }) => name);
  const all = notifiers.map(({ name }) => name);
  const waiting = withDelivered(outbox, all, names);
  session.stage(withOutbox(session, waiting));
}

/** Alarms stay readable, whatever notifiers there are. One that is kept twice has the same key. */
async function keepAlarms(session: Session, outbox: readonly Notification[]): Promise<void> {
  const { journal } = session.ports;
  for (const { id, at, targetId, data, toldTo } of outbox.filter(isAlarm)) {
    if (toldTo !== undefined) continue;
    const [kind, message] = [String(data["kind"]), String(data["message"])];
    await journal.raise({ id, at, kind, message, targetId });
  }
}

const isAlarm = ({ type }: Notification): boolean => type === "alarm";

async function tell(
  session: Session,
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
    const text = error instanceof Error ? error.message : "something that is no error was thrown";
    const detail = `${notifier.name}: ${shorten(redact(text, session.secrets()), 500)}`;
    session.emit({ type: "notification-failed", detail });
    return false;
  }
}

function withOutbox(session: Session, waiting: readonly Notification[]): TargetRecord {
  const now = session.now();
  const { outboxRetryAt: _, ...rest } = session.record();
  const oldest = plus(now, -day);
  const outbox = waiting.filter(({ at }) => at > oldest);
  for (const { id } of waiting.filter(({ at }) => at <= oldest)) {
    session.emit({ type: "notification-failed", detail: `${id} was given up after a day` });
  }
  return outbox.length === 0
    ? { ...rest, outbox }
    : { ...rest, outbox, outboxRetryAt: plus(now, minute) };
}

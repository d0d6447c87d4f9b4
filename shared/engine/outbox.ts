import { redact } from "../core/redact.ts";
import type { TargetRecord } from "../core/rotation.ts";
import { day, minute, plus } from "../core/time.ts";
import { deadlines } from "./ports.ts";
import type { Session } from "./session.ts";

/**
 * Tells every notifier what waits in the outbox. What could not be told stays there and is told again, with the
 * same ids, so that each notification is heard at least once; after a day it is given up. A rotation never waits
 * for a notifier.
 */
export async function flushOutbox(session: Session): Promise<void> {
  const { outbox } = session.record();
  if (outbox.length === 0) return;
  await session.hold();
  const problems = await Promise.all(
    session.ports.notifiers.map(async (notifier) => {
      try {
        await notifier.send(outbox, session.ports.deadline(deadlines.notify));
        return undefined;
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        return `${notifier.name}: ${redact(text, session.secrets()).slice(0, 500)}`;
      }
    }),
  );
  const failed = problems.filter((problem) => problem !== undefined);
  for (const detail of failed) session.emit({ type: "notification-failed", detail });
  await session.commit(failed.length === 0 ? told(session) : toldLater(session));
}

function told(session: Session): TargetRecord {
  const { outboxRetryAt: _, ...rest } = session.record();
  return { ...rest, outbox: [] };
}

function toldLater(session: Session): TargetRecord {
  const now = session.now();
  const oldest = plus(now, -day);
  const record = session.record();
  const outbox = record.outbox.filter((notification) => notification.at > oldest);
  return { ...record, outbox, outboxRetryAt: plus(now, minute) };
}

import { toEvent } from "../../core/events.ts";
import { goesFirst } from "../../core/record/first.ts";
import type { Target } from "../../core/target.ts";
import { between, clockToleranceMs, type Instant, second, toInstant } from "../../core/time.ts";
import {
  JournalUnavailableError,
  type Unreadable,
  UnreadableRowError,
} from "../../stores/journal.ts";
import type { Queue, TargetMessage } from "../../stores/queue.ts";
import { raiseAlarm } from "../alarm.ts";
import type { Ports } from "../ports.ts";
import { workAndReport } from "../worker.ts";

/** Milliseconds. Longer waits are left to the next sweep, which comes within a minute. */
const maxSoonMs = 20 * second;

/** Milliseconds until a message is retried after the journal was unavailable. */
const journalPauseMs = 30 * second;

/** Reason of a message after a vault event: somebody may have written the published secret. */
export const vaultHint = "vault-event";

/** Sends a message at once after a durable request or report. The message only saves time; the next sweep need not send another. */
export async function sendNow(
  { journal }: Ports,
  queue: Queue,
  message: TargetMessage,
  wakeAt: Instant | undefined,
): Promise<void> {
  const { targetId } = message;
  try {
    await queue.send(message);
    const now = toInstant(journal.now());
    if (wakeAt === undefined || wakeAt > now) return;
    await journal.markSent([{ targetId, wakeAt, sent: 0, isFirst: true }], now);
  } catch {
    // The sweep finds the target.
  }
}

/** Sends a message if the target is due already. */
export async function sendIfDue(
  ports: Ports,
  queue: Queue,
  message: TargetMessage,
  wakeAt: Instant | undefined,
): Promise<void> {
  if (wakeAt === undefined || wakeAt > toInstant(ports.journal.now())) return;
  await sendNow(ports, queue, message, wakeAt);
}

export interface MessageQueues {
  /** The queue that the message came from. A returned message goes back to it. */
  readonly queue: Queue;
  readonly firstQueue: Queue;
}

/** Does the work of a message. Returns why the row of the target cannot be read, if it cannot. */
export async function workOnMessage(
  ports: Ports,
  { queue, firstQueue }: MessageQueues,
  message: TargetMessage | undefined,
  byId: ReadonlyMap<string, Target>,
): Promise<Omit<Unreadable, "id"> | undefined> {
  if (!message) {
    await raiseAlarm(
      ports,
      "message-unreadable",
      "Keyturn cannot read a message in its work queue. Only Keyturn may write to this queue.",
    );
    return undefined;
  }
  const target = byId.get(message.targetId);
  if (!target) {
    await passOn(queue, message);
    return undefined;
  }
  try {
    const checkDrift = message.because === vaultHint;
    const { wakeAt, hasWritten } = await workAndReport(ports, target, { checkDrift });
    if (hasWritten) await lookSooner(ports, firstQueue, target.id, wakeAt);
    else await comeBack(ports, queue, message, wakeAt);
  } catch (error) {
    // Without the journal, Keyturn does nothing to a target.
    if (!(error instanceof JournalUnavailableError)) throw error;
    if (error instanceof UnreadableRowError) {
      await passOn(queue, message);
      return { why: error.message, isNewer: error.isNewer };
    }
    const about = {
      at: toInstant(ports.journal.now()),
      targetId: target.id,
      detail: error.message,
    };
    ports.emit(toEvent({ type: "journal-unavailable", ...about }));
    // The message counts as sent for a while. If the queue is unavailable too, the host delivers the message again.
    await firstQueue.send(message, journalPauseMs);
  }
  return undefined;
}

/** Milliseconds until the target is due; Infinity when it is never due. */
function delayUntil(journal: Ports["journal"], wakeAt: Instant | undefined): number {
  return wakeAt === undefined ? Infinity : between(toInstant(journal.now()), wakeAt);
}

/** Reason of a message that one instance has already passed on. */
const passedOn = "another-instance";

/**
 * Sends the message back for another instance, which in a rolling deployment may know the target or be able to read its row. A message
 * is passed on only once: the target may no longer exist anywhere.
 */
async function passOn(queue: Queue, { targetId, because }: TargetMessage): Promise<void> {
  if (because === passedOn) return;
  await queue.send({ targetId, because: passedOn }, journalPauseMs);
}

/** Sends the message again if this instance's clock is slightly behind the sender's: the target is due, or its claim ends, in a moment. */
async function comeBack(
  { journal }: Ports,
  queue: Queue,
  message: TargetMessage,
  wakeAt: Instant | undefined,
): Promise<void> {
  const delayMs = delayUntil(journal, wakeAt);
  if (delayMs <= clockToleranceMs) await queue.send(message, Math.max(delayMs, 0));
}

/** Sends a message for work that is due before the next sweep: a minute is long while the target refuses consumers. */
async function lookSooner(
  { journal }: Ports,
  queue: Queue,
  targetId: string,
  wakeAt: Instant | undefined,
): Promise<void> {
  const delayMs = delayUntil(journal, wakeAt);
  if (delayMs > maxSoonMs) return;
  const record = (await journal.read(targetId))?.record;
  if (!record || !goesFirst(record)) return;
  await queue.send({ targetId, because: "retry" }, Math.max(delayMs, 0)).catch(() => undefined);
}

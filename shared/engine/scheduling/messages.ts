import { toEvent } from "../../core/events.ts";
import { isUrgent } from "../../core/lifecycle/after-failure.ts";
import type { Target } from "../../core/target.ts";
import { between, type Instant, second, toInstant } from "../../core/time.ts";
import {
  JournalUnavailableError,
  type Unreadable,
  UnreadableRowError,
} from "../../stores/journal.ts";
import type { Queue, WorkMessage } from "../../stores/queue.ts";
import { raiseAlarm } from "../alarm.ts";
import type { Ports } from "../ports.ts";
import { workAndTell } from "../worker.ts";

/** Waits that are longer are left to the next sweep, which comes within a minute. */
const maxSoonMs = 20 * second;

/** Until a message is tried again that could not be worked on without the journal. */
const journalPauseMs = 30 * second;

/** How far the clocks of two instances may be apart, each as the storage service has told it. */
const clockLagMs = 5 * second;

/** Says that somebody may have written what consumers read. */
export const vaultHint = "vault-event";

/** What was asked or reported is durable by now; the message only makes it quick, and the next sweep need not send another one. */
export async function sendNow(
  { journal }: Ports,
  queue: Queue,
  message: WorkMessage,
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

export interface MessageQueues {
  /** From which the message came. If it comes back, it comes back there. */
  readonly queue: Queue;
  readonly firstQueue: Queue;
}

/** Does what a message asks for. Returns why the row of the target cannot be read, when it cannot. */
export async function workOnMessage(
  ports: Ports,
  { queue, firstQueue }: MessageQueues,
  message: WorkMessage | undefined,
  byId: ReadonlyMap<string, Target>,
): Promise<Omit<Unreadable, "id"> | undefined> {
  if (!message) {
    await raiseAlarm(ports, "message-unreadable", "a message in the work queue is unreadable");
    return undefined;
  }
  const target = byId.get(message.targetId);
  if (!target) {
    await passOn(queue, message);
    return undefined;
  }
  try {
    const checkDrift = message.because === vaultHint;
    const { wakeAt, hasWritten } = await workAndTell(ports, target, { checkDrift });
    if (hasWritten) await lookSooner(ports, firstQueue, target.id, wakeAt);
    else await comeBack(ports, queue, message, wakeAt);
  } catch (error) {
    // Without the journal nothing is done to a target.
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
    // The message counts as sent for a while. If the queue is out of reach as well, the host gives it to somebody again.
    await firstQueue.send(message, journalPauseMs);
  }
  return undefined;
}

/** Milliseconds; for ever when nothing is due. */
function delayUntil(journal: Ports["journal"], wakeAt: Instant | undefined): number {
  return wakeAt === undefined ? Infinity : between(toInstant(journal.now()), wakeAt);
}

/** This message has been passed on once. */
const passedOn = "another-instance";

/**
 * In a rolling deployment another instance may know the target, or be able to read its row; for this one the message counts as sent.
 * Once only: the target may be gone for good.
 */
async function passOn(queue: Queue, { targetId, because }: WorkMessage): Promise<void> {
  if (because === passedOn) return;
  await queue.send({ targetId, because: passedOn }, journalPauseMs);
}

/** A due moment, or the end of a claim, that this instance's clock has just not reached; the one that sent the message has. */
async function comeBack(
  { journal }: Ports,
  queue: Queue,
  message: WorkMessage,
  wakeAt: Instant | undefined,
): Promise<void> {
  const delayMs = delayUntil(journal, wakeAt);
  if (delayMs <= clockLagMs) await queue.send(message, Math.max(delayMs, 0));
}

/** Sweeps are about a minute apart, which is long while consumers are refused. The message only makes it quick. */
async function lookSooner(
  { journal }: Ports,
  queue: Queue,
  targetId: string,
  wakeAt: Instant | undefined,
): Promise<void> {
  const delayMs = delayUntil(journal, wakeAt);
  if (delayMs > maxSoonMs) return;
  const record = (await journal.read(targetId))?.record;
  if (!record?.rotation || !isUrgent(record, record.rotation)) return;
  await queue.send({ targetId, because: "retry" }, Math.max(delayMs, 0)).catch(() => undefined);
}

import { plus, second, toInstant } from "../../core/time.ts";
import { JournalUnavailableError } from "../../stores/journal.ts";
import type { Queue } from "../../stores/queue.ts";
import type { Ports } from "../ports.ts";

/** Milliseconds after which a turn that nobody took counts as lost. */
const lostAfterMs = 10 * second;

/** How many breaches one sweep wakes. */
const maxWoken = 20;

/** Milliseconds until a breach is tried again after the journal was unavailable. */
const journalPauseMs = 30 * second;

/** Sends a message for each breach whose turn nobody took: a message was lost, or a worker died. */
export async function wakeBreaches({ journal }: Pick<Ports, "journal">, queue: Queue) {
  const lost = plus(toInstant(journal.now()), -lostAfterMs);
  for (const breachId of await journal.dueBreaches(lost, maxWoken)) {
    await sendForBreach(queue, breachId, "due");
  }
}

/** Sends a message about the breach. A failure only costs time: the sweep finds the breach. */
export async function sendForBreach(
  queue: Queue,
  breachId: string,
  because: string,
  delay = 0,
): Promise<void> {
  await queue.send({ breachId, because }, delay).catch(() => undefined);
}

/** Takes a turn, and sends the message for the next one. */
export async function workOnBreach(
  queue: Queue,
  breachId: string,
  advance: () => Promise<number | undefined>,
): Promise<void> {
  try {
    const delay = await advance();
    if (delay !== undefined) await sendForBreach(queue, breachId, "next", delay);
  } catch (error) {
    if (!(error instanceof JournalUnavailableError)) throw error;
    await sendForBreach(queue, breachId, "next", journalPauseMs);
  }
}

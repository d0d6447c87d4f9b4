import { plus, second, toInstant } from "../../core/time.ts";
import { JournalUnavailableError, UnreadableRowError } from "../../stores/journal.ts";
import type { BreachMessage, Queue } from "../../stores/queue.ts";
import type { Ports } from "../ports.ts";

/** Milliseconds after which a turn that nobody took counts as lost. */
const lostAfterMs = 10 * second;

/** How many breaches one sweep wakes. */
const maxWoken = 20;

/** Milliseconds until a breach is tried again after the journal was unavailable. */
const journalPauseMs = 30 * second;

/** Reports that the journal could not be reached, or that a row of the breach cannot be read. */
export type ReportBreach = (breachId: string, error: JournalUnavailableError) => Promise<void>;

/**
 * Sends a message for each breach whose turn nobody took: a message was lost, or a worker died. A breach whose row cannot be read gets
 * no message, because no turn can be taken.
 */
export async function wakeBreaches(
  { journal }: Pick<Ports, "journal">,
  queue: Queue,
  report: ReportBreach,
): Promise<void> {
  const lost = plus(toInstant(journal.now()), -lostAfterMs);
  for (const breachId of await journal.dueBreaches(lost, maxWoken)) {
    try {
      await journal.breach(breachId);
      await sendForBreach(queue, breachId, "due");
    } catch (error) {
      if (!(error instanceof UnreadableRowError)) throw error;
      await report(breachId, error);
    }
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

/** Reason of a message after a turn that the journal prevented. */
const retry = "retry";

/**
 * Takes a turn, and sends the message for the next one. A turn that the journal prevented is tried again once: more messages would add
 * up, because each sweep sends one too.
 */
export async function workOnBreach(
  queue: Queue,
  { breachId, because }: BreachMessage,
  advance: () => Promise<number | undefined>,
  report: ReportBreach,
): Promise<void> {
  try {
    const delay = await advance();
    if (delay !== undefined) await sendForBreach(queue, breachId, "next", delay);
  } catch (error) {
    if (!(error instanceof JournalUnavailableError)) throw error;
    await report(breachId, error);
    const mayPass = !(error instanceof UnreadableRowError) && because !== retry;
    if (mayPass) await sendForBreach(queue, breachId, retry, journalPauseMs);
  }
}

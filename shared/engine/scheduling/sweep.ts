import { chunks } from "../../core/chunks.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Due, Journal } from "../../stores/journal.ts";
import type { Queue } from "../../stores/queue.ts";

/** What a sweep sends before it notes that it has. */
const slice = 1_000;

/** What is left over after so many slices is due a minute later as well. */
const mostSlices = 50;

/** How many messages a sweep sends for targets whose rows this instance cannot read: another one may be able to. */
const mostUnreadable = 50;

/**
 * Sends a message for every target that is due and about which none is on its way. Reads the due rows only: its cost follows what
 * is due. `admit` says how many milliseconds later a message should arrive, or undefined to leave the target to the next sweep; it is not
 * asked about what goes first.
 */
export async function sweep(
  { journal, queue, firstQueue = queue }: Sweeping,
  { isKnown, isReadable = () => true, admit = () => 0 }: SweepRules,
): Promise<number> {
  let sent = 0;
  let wanted = slice;
  const left = new Set<string>();
  const isWanted = ({ targetId }: Due) => isKnown(targetId) && !left.has(targetId);
  for (let slices = 0; slices < mostSlices; slices++) {
    const now = toInstant(journal.now());
    const isCandidate = (due: Due) => isWanted(due) && isReadable(due.targetId);
    const due = (await readDue({ journal, now, wanted }, isCandidate)).filter(isWanted);
    const readable = due.filter(({ targetId }) => isReadable(targetId)).slice(0, wanted);
    const messages = readable.flatMap((one) => {
      // In its own queue, what goes first does not wait behind a backlog.
      const delayMs = one.isFirst ? 0 : admit(one.targetId);
      if (delayMs === undefined) left.add(one.targetId);
      return delayMs === undefined ? [] : [{ due: one, delayMs }];
    });
    await sendAll(messages, (one) => (one.isFirst ? firstQueue : queue));
    // Not before: what is marked and was not sent would be late.
    await journal.markSent(
      messages.map((message) => message.due),
      now,
    );
    sent += messages.length;
    if (readable.length === wanted) {
      // Behind the backlog of a vault that is full may be targets of other vaults.
      wanted = messages.length === 0 ? wanted * 4 : slice;
      continue;
    }
    // Never marked: the message may meet another instance that cannot read the row either.
    const others = due.filter(({ targetId }) => !isReadable(targetId)).slice(0, mostUnreadable);
    await sendAll(
      others.map((one) => ({ due: one, delayMs: 0 })),
      () => queue,
    );
    return sent + others.length;
  }
  return sent;
}

interface SweepRules {
  /** Whether the target is in the configuration. */
  readonly isKnown: (targetId: string) => boolean;
  /** False for a target whose row this instance could not read when it last tried. */
  readonly isReadable?: (targetId: string) => boolean;
  readonly admit?: (targetId: string) => number | undefined;
}

interface DelayedMessage {
  readonly due: Due;
  readonly delayMs: number;
}

async function sendAll(
  messages: readonly DelayedMessage[],
  queueFor: (due: Due) => Queue,
): Promise<void> {
  for (const batch of chunks(messages, 16)) {
    await Promise.all(
      batch.map(({ due, delayMs }) =>
        queueFor(due).send({ targetId: due.targetId, because: "due" }, delayMs),
      ),
    );
  }
}

/** Targets that left the configuration, or cannot be read, stay due and must not crowd out the others. */
async function readDue(
  { journal, now, wanted }: { journal: Journal; now: Instant; wanted: number },
  counts: (due: Due) => boolean,
): Promise<readonly Due[]> {
  for (let limit = wanted; ; limit *= 2) {
    const due = await journal.due(now, limit);
    if (due.length < limit || due.filter(counts).length >= wanted) return due;
  }
}

interface Sweeping {
  readonly journal: Journal;
  readonly queue: Queue;
  /** For what goes first; the other one, when absent. */
  readonly firstQueue?: Queue;
}

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
 * is due. `isKnown`: whether the target is in the configuration. `isReadable`: false for one whose row this instance could not
 * read when it last tried.
 */
export async function sweep(
  { journal, queue, firstQueue = queue }: Sweeping,
  isKnown: (targetId: string) => boolean,
  isReadable: (targetId: string) => boolean = () => true,
): Promise<number> {
  let sent = 0;
  for (let slices = 0; slices < mostSlices; slices++) {
    const now = toInstant(journal.now());
    const due = (
      await readDue(journal, now, ({ targetId }) => isKnown(targetId) && isReadable(targetId))
    ).filter(({ targetId }) => isKnown(targetId));
    const readable = due.filter(({ targetId }) => isReadable(targetId)).slice(0, slice);
    // In its own queue, what goes first does not wait behind a backlog.
    await sendAll(
      firstQueue,
      readable.filter(({ isFirst }) => isFirst),
    );
    await sendAll(
      queue,
      readable.filter(({ isFirst }) => !isFirst),
    );
    // Not before: what is marked and was not sent would be late.
    await journal.markSent(readable, now);
    sent += readable.length;
    if (readable.length === slice) continue;
    // Never marked: the message may meet another instance that cannot read the row either.
    const others = due.filter(({ targetId }) => !isReadable(targetId)).slice(0, mostUnreadable);
    await sendAll(queue, others);
    return sent + others.length;
  }
  return sent;
}

async function sendAll(queue: Queue, due: readonly Due[]): Promise<void> {
  for (const batch of chunks(due, 16)) {
    await Promise.all(batch.map(({ targetId }) => queue.send({ targetId, because: "due" })));
  }
}

/** Targets that left the configuration, or cannot be read, stay due and must not crowd out the others. */
async function readDue(
  journal: Journal,
  now: Instant,
  counts: (due: Due) => boolean,
): Promise<readonly Due[]> {
  for (let limit = slice; ; limit *= 2) {
    const due = await journal.due(now, limit);
    if (due.length < limit || due.filter(counts).length >= slice) return due;
  }
}

interface Sweeping {
  readonly journal: Journal;
  readonly queue: Queue;
  /** For what goes first; the other one, when absent. */
  readonly firstQueue?: Queue;
}

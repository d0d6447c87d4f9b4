import { splitIntoChunks } from "../../core/chunks.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Due, Journal } from "../../stores/journal.ts";
import type { Queue } from "../../stores/queue.ts";

/** How many messages a sweep sends before it marks them as sent. */
const slice = 1_000;

/** The most slices of one sweep. The next sweep, a minute later, sends the rest. */
const maxSlices = 50;

/** How many messages a sweep sends for targets whose rows this instance cannot read: another one may be able to. */
const maxUnreadable = 50;

/**
 * Sends a message for every due target that has no message on its way. It reads only due rows, so its cost depends on their number.
 * `admit` returns by how many milliseconds to delay a message, or undefined to leave the target to the next sweep. It is not called for
 * urgent work and heartbeats.
 */
export async function sweep(
  { journal, queue, firstQueue = queue }: Sweeping,
  { isKnown, isReadable = () => true, admit = () => 0 }: SweepRules,
): Promise<number> {
  let sent = 0;
  let wanted = slice;
  const left = new Set<string>();
  const isWanted = ({ targetId }: Due) => isKnown(targetId) && !left.has(targetId);
  for (let slices = 0; slices < maxSlices; slices++) {
    const now = toInstant(journal.now());
    const isCandidate = (due: Due) => isWanted(due) && isReadable(due.targetId);
    const due = (await readDue({ journal, now, wanted }, isCandidate)).filter(isWanted);
    const readable = due.filter(({ targetId }) => isReadable(targetId)).slice(0, wanted);
    const messages = readable.flatMap((one) => {
      // Urgent work has its own queue, where it does not wait behind a backlog.
      const delayMs = one.isFirst || one.isHeartbeat ? 0 : admit(one.targetId);
      if (delayMs === undefined) left.add(one.targetId);
      return delayMs === undefined ? [] : [{ due: one, delayMs }];
    });
    await sendAll(messages, (one) => (one.isFirst ? firstQueue : queue));
    // Mark after sending: a target that was marked but not sent would be late.
    await journal.markSent(
      messages.map((message) => message.due),
      now,
    );
    sent += messages.length;
    if (readable.length === wanted) {
      // Targets of other vaults may come after the backlog of a full vault.
      wanted = messages.length === 0 ? wanted * 4 : slice;
      continue;
    }
    // Never mark these: another instance that gets the message may not be able to read the row either.
    const others = due.filter(({ targetId }) => !isReadable(targetId)).slice(0, maxUnreadable);
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
  for (const batch of splitIntoChunks(messages, 16)) {
    await Promise.all(
      batch.map(({ due, delayMs }) =>
        queueFor(due).send({ targetId: due.targetId, because: "due" }, delayMs),
      ),
    );
  }
}

/** Reads due rows. Removed or unreadable targets stay due, and must not crowd out the others. */
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
  /** Queue for urgent work. Absent: `queue`. */
  readonly firstQueue?: Queue;
}

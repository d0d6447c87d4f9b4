import { type Instant, toInstant } from "../core/time.ts";
import type { Journal } from "../stores/journal.ts";
import type { Queue } from "../stores/queue.ts";
import { chunks } from "./chunks.ts";

/** What a sweep sends in one go. What is left over is due a minute later as well. */
const mostAtOnce = 1_000;

/** How many messages a sweep sends for targets whose rows this instance cannot read: another one may be able to. */
const mostUnreadable = 50;

/**
 * Sends a message for every target that is due. Reads the due rows only: its cost follows what is due. `isKnown`: whether the
 * target is in the configuration. `isReadable`: false for one whose row this instance could not read when it last tried.
 */
export async function sweep(
  { journal, queue }: Sweeping,
  isKnown: (targetId: string) => boolean,
  isReadable: (targetId: string) => boolean = () => true,
): Promise<number> {
  const due = await dueOf(journal, toInstant(journal.now()), (id) => isKnown(id) && isReadable(id));
  const readable = due.filter((id) => isKnown(id) && isReadable(id)).slice(0, mostAtOnce);
  const others = due.filter((id) => isKnown(id) && !isReadable(id)).slice(0, mostUnreadable);
  const all = [...readable, ...others];
  for (const batch of chunks(all, 16)) {
    await Promise.all(batch.map((targetId) => queue.send({ targetId, because: "due" })));
  }
  return all.length;
}

/** Targets that left the configuration, or cannot be read, stay due and must not crowd out the others. */
async function dueOf(
  journal: Journal,
  now: Instant,
  counts: (targetId: string) => boolean,
): Promise<readonly string[]> {
  for (let limit = mostAtOnce; ; limit *= 2) {
    const due = await journal.due(now, limit);
    if (due.length < limit || due.filter(counts).length >= mostAtOnce) return due;
  }
}

interface Sweeping {
  readonly journal: Journal;
  readonly queue: Queue;
}

import { type Instant, toInstant } from "../core/time.ts";
import type { Journal } from "../stores/journal.ts";
import type { Queue } from "../stores/queue.ts";
import { chunks } from "./chunks.ts";

/** What a sweep sends in one go. What is left over is due a minute later as well. */
const mostAtOnce = 1_000;

/** Sends a message for every target that is due. Reads the due rows only: its cost follows what is due. */
export async function sweep(
  { journal, queue, clock }: Sweeping,
  isKnown: (targetId: string) => boolean,
): Promise<number> {
  const known = await dueOf(journal, toInstant(clock()), isKnown);
  for (const batch of chunks(known, 16)) {
    await Promise.all(batch.map((targetId) => queue.send({ targetId, because: "due" })));
  }
  return known.length;
}

/** Targets that left the configuration stay due for ever, and must not crowd out the others. */
async function dueOf(
  journal: Journal,
  now: Instant,
  isKnown: (targetId: string) => boolean,
): Promise<string[]> {
  for (let limit = mostAtOnce; ; limit *= 2) {
    const due = await journal.due(now, limit);
    const known = due.filter(isKnown);
    if (due.length < limit || known.length >= mostAtOnce) return known.slice(0, mostAtOnce);
  }
}

interface Sweeping {
  readonly journal: Journal;
  readonly queue: Queue;
  readonly clock: () => Date;
}

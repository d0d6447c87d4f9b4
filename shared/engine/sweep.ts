import { toInstant } from "../core/time.ts";
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
  const due = await journal.due(toInstant(clock()), mostAtOnce);
  const known = due.filter(isKnown);
  for (const batch of chunks(known, 16)) {
    await Promise.all(batch.map((targetId) => queue.send({ targetId, because: "due" })));
  }
  return known.length;
}

interface Sweeping {
  readonly journal: Journal;
  readonly queue: Queue;
  readonly clock: () => Date;
}

import { wakeAt } from "../core/decide.ts";
import { LeaseLostError } from "../core/errors.ts";
import { newRecord } from "../core/rotation.ts";
import type { Target } from "../core/target.ts";
import { type Instant, toInstant } from "../core/time.ts";
import type { Journal } from "../stores/journal.ts";
import type { Queue } from "../stores/queue.ts";
import { replan } from "./replan.ts";

/** What a sweep sends in one go. What is left over is due a minute later as well. */
const mostAtOnce = 1_000;

interface SweepPorts {
  readonly journal: Journal;
  readonly queue: Queue;
  readonly clock: () => Date;
}

/** Sends a message for every target that is due. Reads the due rows only: its cost follows what is due. */
export async function sweep(
  { journal, queue, clock }: SweepPorts,
  isKnown: (targetId: string) => boolean,
): Promise<number> {
  const due = await journal.due(toInstant(clock()), mostAtOnce);
  const known = due.filter(isKnown);
  for (const batch of chunks(known, 16)) {
    await Promise.all(batch.map((targetId) => queue.send({ targetId, because: "due" })));
  }
  return known.length;
}

/**
 * Makes the journal know every configured target, and makes due whatever a changed policy touches. Done once by each
 * process, because only a new process has a new configuration.
 */
export async function register(
  { journal, clock }: SweepPorts,
  targets: readonly Target[],
): Promise<Leftovers> {
  const now = toInstant(clock());
  const { records, unreadable } = await journal.targets();
  const known = new Map(records.map((record) => [record.targetId, record]));
  for (const batch of chunks(targets, 16)) {
    await Promise.all(
      batch.map(async (target) => {
        const record = known.get(target.id);
        if (unreadable.includes(target.id)) return;
        if (!record) await insert(journal, target, now);
        else if (replan(record, target, now) !== record) await wake(journal, target, now);
      }),
    );
  }
  const configured = new Set(targets.map((target) => target.id));
  const abandoned = records
    .filter((record) => record.rotation && !configured.has(record.targetId))
    .map((record) => record.targetId);
  return { unreadable, abandoned };
}

/** What the journal holds and nobody can go on with. */
export interface Leftovers {
  /** Targets whose row cannot be read: nothing is done about them. */
  readonly unreadable: readonly string[];
  /** Targets that left the configuration in the middle of a rotation. */
  readonly abandoned: readonly string[];
}

async function insert(journal: Journal, target: Target, now: Instant): Promise<void> {
  const record = replan(newRecord(target.id), target, now);
  await unlessOvertaken(journal.commit({ record, etag: undefined, wakeAt: now }));
}

/** Plans anew; a worker that holds the target at the moment does the same when it is done. */
async function wake(journal: Journal, target: Target, now: Instant): Promise<void> {
  const found = await journal.read(target.id);
  if (!found || found.record.claim.owner !== undefined) return;
  const record = replan(found.record, target, now);
  await unlessOvertaken(journal.commit({ record, etag: found.etag, wakeAt: wakeAt(record, now) }));
}

async function unlessOvertaken(commit: Promise<string>): Promise<void> {
  try {
    await commit;
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
  }
}

function chunks<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

import {
  chainEntries,
  type ChainStart,
  continueWaiting,
  maxEntries,
  type Segment,
  startAfter,
} from "../../core/ledger/chain.ts";
import { toInstant } from "../../core/time.ts";
import type { Journal } from "../../stores/journal.ts";
import type { LatestHead, Unsealed } from "../../stores/ledger-store.ts";

/** How many segments are made of one reading of the unsealed entries. */
const maxAtOnce = 10;

/** The most readings of one call. The next sweep, a minute later, seals the rest. */
const maxReadings = 10;

/**
 * Puts the entries that wait into the chain, the oldest first. Any number of instances may call it at the same time: only one of them
 * can store the segment with the next number, and the others read again.
 *
 * The rows of a segment's entries are removed before the next segment is stored. So whatever is still among the unsealed entries then is
 * in no segment, and no entry is sealed twice, wherever an instance dies.
 */
export async function sealLedger(journal: Pick<Journal, "ledger" | "now">): Promise<void> {
  const { ledger } = journal;
  for (let readings = 0; readings < maxReadings; readings++) {
    // The order matters: a segment that is stored after this reading takes the number that this call would use.
    const latest = await ledger.latest();
    if (latest && !latest.isCleared) await ledger.clear(latest.segment);
    const waiting = await ledger.unsealed(maxAtOnce * maxEntries);
    if (waiting.length === 0) return;
    const from = await startOf(journal, latest);
    const entries = waiting.map(({ entry }) => entry);
    const segments = chainEntries(from, entries, toInstant(journal.now())).map((segment) => ({
      ...segment,
      head: { ...segment.head, ...continueWaiting(latest) },
    }));
    const isAlone = await store(journal, segments, waiting);
    if (isAlone && waiting.length < maxAtOnce * maxEntries) return;
  }
}

/** The chain continues after its newest segment, or where the removal of all segments has left it. */
async function startOf(
  { ledger }: Pick<Journal, "ledger">,
  latest: LatestHead | undefined,
): Promise<ChainStart> {
  return latest ? startAfter(latest) : ledger.start();
}

/** Stores the segments one after another. Returns false when another instance has stored one of these numbers. */
async function store(
  { ledger }: Pick<Journal, "ledger">,
  segments: readonly Segment[],
  waiting: readonly Unsealed[],
): Promise<boolean> {
  const places = waiting.map(({ place }) => place);
  for (const { head, entries } of segments) {
    const placed = entries.map((entry) => ({ ...entry, place: places.shift() ?? "" }));
    if (!(await ledger.add(head, placed))) return false;
    await ledger.clear(head.segment);
  }
  return true;
}

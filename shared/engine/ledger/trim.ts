import { maxEntries, type Segment, startAfter } from "../../core/ledger/chain.ts";
import { boundEntry } from "../../core/ledger/entry.ts";
import { keyturn } from "../../core/record/record.ts";
import { hour, type Instant, plus, toInstant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";

/**
 * Removes the oldest segments once they are older than the retention, as many as fit into one transaction, and records that in an entry.
 * Only if the newest head is anchored: then everybody who keeps it can still show what the chain was. The newest segment stays, because
 * the next one continues it. Returns when to try again.
 */
export async function trimLedger({
  journal,
  newId,
}: Pick<Ports, "journal" | "newId">): Promise<Instant> {
  const { ledger } = journal;
  const now = toInstant(journal.now());
  const later = plus(now, hour);
  const [latest, start] = await Promise.all([ledger.latest(), ledger.start()]);
  if (latest?.anchoredAt === undefined || start.segment >= latest.segment) return later;
  const to = Math.min(start.segment + 9, latest.segment - 1);
  const old = takeOld(await ledger.segments(start.segment, to), start, ledger.expiry());
  const last = old.at(-1)?.head;
  if (!last) return later;
  const entry = boundEntry({
    ...{ id: newId(), at: now, by: keyturn, action: "ledger.trim", outcome: "succeeded" },
    detail: `removed entries ${start.sequence + 1} to ${last.sequence}, which are older than the retention; the chain begins after ${last.hash}`,
  });
  await ledger.trim(old, startAfter(last), entry);
  return now;
}

/** The segments that fit into one transaction. One that somebody has damaged stays, and so does everything after it: it is evidence. */
function takeOld(
  segments: readonly Segment[],
  start: { readonly sequence: number },
  expiry: Instant,
): Segment[] {
  const old: Segment[] = [];
  let [before, rows] = [start.sequence, 0];
  for (const segment of segments) {
    const { head, entries } = segment;
    const isWhole = head.first === before + 1 && entries.length === head.sequence - head.first + 1;
    rows += entries.length + 1;
    if (!isWhole || head.at >= expiry || rows > maxEntries + 1) break;
    old.push(segment);
    before = head.sequence;
  }
  return old;
}

import {
  type ChainStart,
  hashLink,
  type Head,
  type Segment,
  startAfter,
} from "../../core/ledger/chain.ts";
import { writeHead } from "../../core/ledger/lines.ts";
import type { LedgerStore } from "../../stores/ledger-store.ts";

/** Somebody has changed sealed entries: the stored chain does not continue from a head that Keyturn knows. Only a person can decide what is true. */
export class ChangedLedgerError extends Error {
  override readonly name = "ChangedLedgerError";

  constructor({ sequence, hash }: Head) {
    super(
      `The ledger was changed: it does not continue from entry ${sequence} with the hash ${hash}, which Keyturn knows. Keyturn signs and removes nothing more. Keep a copy of the table as evidence, and find out who changed it.`,
    );
  }
}

/** How many segments are read at once. */
const maxRead = 10;

/**
 * Throws ChangedLedgerError unless the chain up to `head` follows from the known head, entry by entry. The hashes are computed again:
 * columns that merely fit together could be replaced after the head is signed.
 */
export async function requireContinuation(
  ledger: LedgerStore,
  known: Head,
  head: Head | undefined,
): Promise<void> {
  if (!head || !(await continues(ledger, known, head))) throw new ChangedLedgerError(known);
}

async function continues(ledger: LedgerStore, known: Head, head: Head): Promise<boolean> {
  if (head.segment <= known.segment) return writeHead(head) === writeHead(known);
  let end: ChainStart | undefined = startAfter(known);
  for (let first = end.segment; end && first <= head.segment; first += maxRead) {
    const last = Math.min(first + maxRead - 1, head.segment);
    end = follow(end, await ledger.segments(first, last));
  }
  return end?.sequence === head.sequence && end.hash === head.hash;
}

/** Whether the retention may have removed what follows this head, so that it shows nothing any more. */
export async function isOutlived(ledger: LedgerStore, known: Head): Promise<boolean> {
  return known.at < ledger.expiry() && (await ledger.start()).segment > known.segment + 1;
}

/** Where the segments end; undefined if one of them does not follow. */
function follow(start: ChainStart, segments: readonly Segment[]): ChainStart | undefined {
  let { segment, sequence, hash } = start;
  for (const { head, entries } of segments) {
    if (head.segment !== segment || head.first !== sequence + 1) return undefined;
    for (const entry of entries) {
      const link = { sequence: ++sequence, previous: hash, entry: entry.entry };
      hash = hashLink(link);
    }
    if (head.sequence !== sequence || head.hash !== hash) return undefined;
    segment++;
  }
  return { segment, sequence, hash };
}

import { type AnchoredHead, type ChainStart, newChain } from "../../core/ledger/chain.ts";
import type { LedgerEntry } from "../../core/ledger/entry.ts";
import { readChainedEntry, readEntry, writeEntry } from "../../core/ledger/stored-entry.ts";
import type { Instant } from "../../core/time.ts";
import type { LedgerStore, Placed, Unsealed } from "../ledger-store.ts";
import { refuseUnstorableEntries } from "../table/change.ts";
import { entryIn, entryRow } from "../table/row-keys.ts";
import { toPromise } from "./to-promise.ts";

interface StoredSegment {
  readonly head: AnchoredHead;
  readonly entries: readonly (Omit<Placed, "entry"> & { readonly text: string })[];
  readonly isCleared: boolean;
}

export interface MemoryLedger {
  readonly store: LedgerStore;
  /** Stores entries with another change, which happens at the same moment. */
  keep(entries: readonly LedgerEntry[] | undefined): void;
}

/** A ledger in memory. It keeps entries as text, so it returns copies. */
export function makeMemoryLedger(expiry: () => Instant): MemoryLedger {
  const unsealed = new Map<string, string>();
  const segments = new Map<number, StoredSegment>();
  let start: ChainStart = newChain;
  function keep(entries: readonly LedgerEntry[] = []): void {
    refuseUnstorableEntries(entries);
    for (const entry of entries) unsealed.set(entryRow(entry.at, entry.id), writeEntry(entry));
  }
  const store: LedgerStore = {
    log: toPromise(keep),
    unsealed: toPromise((limit) => listUnsealed(unsealed, limit)),
    ...segmentsIn(segments, unsealed),
    start: toPromise(() => start),
    expiry,
    trim: toPromise((removed, begin, entry) => {
      if (!removed.every(({ head }) => segments.has(head.segment))) return;
      for (const { head } of removed) segments.delete(head.segment);
      start = begin;
      keep([entry]);
    }),
  };
  return { store, keep };
}

function listUnsealed(unsealed: ReadonlyMap<string, string>, limit: number): Unsealed[] {
  return [...unsealed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, limit)
    .map(([place, text]) => ({ entry: readEntry(text, entryIn(place)), place }));
}

function segmentsIn(
  segments: Map<number, StoredSegment>,
  unsealed: Map<string, string>,
): Pick<LedgerStore, "latest" | "add" | "clear" | "segments" | "anchor"> {
  const change = (segment: number, fields: Partial<StoredSegment>) => {
    const stored = segments.get(segment);
    if (stored) segments.set(segment, { ...stored, ...fields });
  };
  return {
    latest: toPromise(() => {
      const newest = segments.get(Math.max(...segments.keys()));
      return newest && { ...newest.head, isCleared: newest.isCleared };
    }),
    add: toPromise((head, entries) => {
      if (segments.has(head.segment)) return false;
      const stored = entries.map(({ entry, ...rest }) => ({ ...rest, text: writeEntry(entry) }));
      segments.set(head.segment, { head, entries: stored, isCleared: false });
      return true;
    }),
    clear: toPromise((segment) => {
      for (const { place } of segments.get(segment)?.entries ?? []) unsealed.delete(place);
      change(segment, { isCleared: true });
    }),
    segments: toPromise((first, last) =>
      [...segments.values()]
        .filter(({ head }) => head.segment >= first && head.segment <= last)
        .sort((a, b) => a.head.segment - b.head.segment)
        .map(({ head, entries }) => ({ head, entries: entries.map(readPlaced) })),
    ),
    anchor: toPromise((segment, anchor) => {
      const stored = segments.get(segment);
      if (stored) change(segment, { head: { ...stored.head, ...anchor } });
    }),
  };
}

function readPlaced({ sequence, previous, hash, text }: StoredSegment["entries"][number]) {
  return { sequence, previous, hash, entry: readChainedEntry(text) };
}

import type {
  AnchoredHead,
  ChainedEntry,
  ChainStart,
  Head,
  Segment,
} from "../core/ledger/chain.ts";
import type { LedgerEntry } from "../core/ledger/entry.ts";
import type { Instant } from "../core/time.ts";

/** An entry that is not in the chain yet. */
export interface Unsealed {
  readonly entry: LedgerEntry;
  /** Where it is stored; only the store reads it. */
  readonly place: string;
}

/** A chained entry with the place from which it comes. */
export interface Placed extends ChainedEntry {
  readonly place: string;
}

/** The newest head. Not cleared: rows of entries that the segment contains may still be among the unsealed ones. */
export interface LatestHead extends AnchoredHead {
  readonly isCleared: boolean;
}

/** The proofs of a head that others have. Each field replaces the stored one. */
export type Anchor = Omit<AnchoredHead, keyof Head>;

/**
 * The ledger: entries in the partitions of their effects, and the chain of segments that is made of them. A store that cannot be reached
 * throws JournalUnavailableError; a write may or may not have happened then. Anyone who can write to the store can forge all of it,
 * so heads are anchored elsewhere.
 */
export interface LedgerStore {
  /** Stores entries that belong to no other change. An entry is stored once, whatever happens to the reply. */
  log(entries: readonly LedgerEntry[]): Promise<void>;
  /** Entries that are not in the chain yet, oldest first, at most `limit`. */
  unsealed(limit: number): Promise<Unsealed[]>;
  /** The head of the newest segment. Undefined while there is none. */
  latest(): Promise<LatestHead | undefined>;
  /** Where the stored chain begins. */
  start(): Promise<ChainStart>;
  /** Segments that were sealed before this moment are older than the retention. */
  expiry(): Instant;
  /** Stores the segment in one transaction. Returns false, and changes nothing, if a segment with its number exists. */
  add(head: AnchoredHead, entries: readonly Placed[]): Promise<boolean>;
  /** Removes the unsealed rows of everything that the segment contains. */
  clear(segment: number): Promise<void>;
  /** The segments from `first` to `last`, both included, in ascending order. Those that do not exist are left out. */
  segments(first: number, last: number): Promise<Segment[]>;
  /** Adds proofs to the head of a segment. */
  anchor(segment: number, anchor: Anchor): Promise<void>;
  /**
   * Removes the segments up to `start` and lets the chain begin there, in one transaction with the entry that records it. Does nothing
   * when another instance has done it. `removed`: segments with at most `maxEntries` + 1 heads and entries together.
   */
  trim(removed: readonly Segment[], start: ChainStart, entry: LedgerEntry): Promise<void>;
}

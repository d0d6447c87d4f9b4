import { hashOf, toCanonicalJson } from "../canonical.ts";
import { splitIntoChunks } from "../chunks.ts";
import type { Instant } from "../time.ts";
import type { LedgerEntry } from "./entry.ts";

/** An entry in its place of the chain. `hash` covers the entry, its number and the hash of the entry before. */
export interface ChainedEntry {
  /** 1 for the first entry of the deployment. */
  readonly sequence: number;
  readonly previous: string;
  readonly entry: LedgerEntry;
  readonly hash: string;
}

/** The end of a segment. A head that is kept elsewhere shows whether any entry up to it was changed. */
export interface Head {
  /** 1 for the first segment of the deployment. */
  readonly segment: number;
  /** The number of the first entry of the segment. */
  readonly first: number;
  /** The number of the last entry of the segment. */
  readonly sequence: number;
  /** The hash of that entry. */
  readonly hash: string;
  /** When the segment was sealed. */
  readonly at: Instant;
}

/** A signature over `toSignedText(head)`: ECDSA with P-256 and SHA-256 (ES256), in base64url. */
export interface Signature {
  /** The address of the version of the key. */
  readonly key: string;
  readonly value: string;
}

/** A head with the proofs that others have of it. */
export interface AnchoredHead extends Head {
  readonly signature?: Signature;
  /** The notifiers that have received the head. */
  readonly toldTo?: readonly string[];
  /** Present once the head is anchored in every place that the configuration names. */
  readonly anchoredAt?: Instant;
  /** When the oldest of the heads was sealed that could not be signed since the last one that was. */
  readonly unsignedSince?: Instant;
}

/** Up to `maxEntries` entries that are stored in one transaction. */
export interface Segment {
  readonly head: AnchoredHead;
  readonly entries: readonly ChainedEntry[];
}

/** Where the stored chain begins: the last entry that is no longer stored. */
export interface ChainStart {
  /** The first stored segment. */
  readonly segment: number;
  readonly sequence: number;
  readonly hash: string;
}

/**
 * A transaction of Table storage has at most 100 rows. The one that removes a segment has its entries, its head, the start of the chain,
 * and the entry that records the removal.
 */
export const maxEntries = 97;

/** The start of a chain from which nothing was removed. */
export const newChain: ChainStart = { segment: 1, sequence: 0, hash: "0".repeat(64) };

/** The start of the chain after this segment. */
export function startAfter({ segment, sequence, hash }: Head): ChainStart {
  return { segment: segment + 1, sequence, hash };
}

/** How long the head before has waited for a signature. The next head waits as long, because a signature covers all heads before. */
export function continueWaiting(
  before: AnchoredHead | undefined,
): Pick<AnchoredHead, "unsignedSince"> {
  const { signature, anchoredAt, unsignedSince } = before ?? {};
  const isWaiting = signature === undefined && anchoredAt === undefined;
  return isWaiting && unsignedSince !== undefined ? { unsignedSince } : {};
}

/** The segments that continue the chain with these entries, in their order. */
export function chainEntries(
  start: ChainStart,
  entries: readonly LedgerEntry[],
  at: Instant,
): Segment[] {
  let from = start;
  return splitIntoChunks(entries, maxEntries).map((chunk) => {
    const segment = makeSegment(from, chunk, at);
    from = startAfter(segment.head);
    return segment;
  });
}

function makeSegment(start: ChainStart, entries: readonly LedgerEntry[], at: Instant): Segment {
  let previous = start.hash;
  const chained = entries.map((entry, index): ChainedEntry => {
    const link = { sequence: start.sequence + index + 1, previous, entry };
    previous = hashLink(link);
    return { ...link, hash: previous };
  });
  const sequence = start.sequence + entries.length;
  const first = start.sequence + 1;
  return {
    head: { segment: start.segment, first, sequence, hash: previous, at },
    entries: chained,
  };
}

export function hashLink({
  sequence,
  previous,
  entry,
}: Pick<ChainedEntry, "sequence" | "previous"> & { readonly entry: object }): string {
  return hashOf({ sequence, previous, entry });
}

/** The text that is signed. Its type keeps a signature from counting for anything else. */
export function toSignedText({ segment, first, sequence, hash, at }: Head): string {
  return toCanonicalJson({ type: "keyturn-ledger-head", segment, first, sequence, hash, at });
}

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import fc from "fast-check";
import { ledgerActions, ledgerOutcomes } from "../../../shared/core/ledger/actions.ts";
import {
  chainEntries,
  type ChainStart,
  type Head,
  newChain,
  type Segment,
  startAfter,
  toSignedText,
} from "../../../shared/core/ledger/chain.ts";
import { boundEntry, type LedgerEntry } from "../../../shared/core/ledger/entry.ts";
import { toLines, toStartLine } from "../../../shared/core/ledger/lines.ts";

const at = "2026-03-01T12:00:00.000Z";

const arbitraryEntry: fc.Arbitrary<LedgerEntry> = fc
  .record({
    id: fc.ulid(),
    at: fc.constant(at),
    by: fc.string({ unit: "grapheme" }),
    action: fc.constantFrom(...ledgerActions),
    outcome: fc.constantFrom(...ledgerOutcomes),
    targets: fc.option(fc.array(fc.string(), { maxLength: 3 }), { nil: undefined }),
    reason: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
    detail: fc.option(fc.string({ unit: "binary" }), { nil: undefined }),
  })
  .map(boundEntry);

/** Segments of different lengths, each of which continues the one before. */
export const arbitrarySegments: fc.Arbitrary<Segment[]> = fc
  .array(fc.array(arbitraryEntry, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 4 })
  .map((groups) => makeSegments(groups));

export function makeSegments(groups: readonly (readonly LedgerEntry[])[]): Segment[] {
  let start: ChainStart = newChain;
  return groups.flatMap((entries) => {
    const made = chainEntries(start, entries, at);
    const last = made.at(-1);
    if (last) start = startAfter(last.head);
    return made;
  });
}

export function makeEntry(id: string, more: Partial<LedgerEntry> = {}): LedgerEntry {
  return { id, at, by: "anna", action: "rotation.request", outcome: "accepted", ...more };
}

export function toExport(segments: readonly Segment[], start: ChainStart = newChain): string[] {
  return [toStartLine(start), ...segments.flatMap(toLines)];
}

export const keyPair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** The segments with the heads signed as Key Vault signs. */
export function signAll(segments: readonly Segment[], key: KeyObject): Segment[] {
  return segments.map(({ head, entries }) => ({ head: signHead(head, key), entries }));
}

export function signHead(head: Head, key: KeyObject) {
  const signed = sign("sha256", Buffer.from(toSignedText(head)), {
    key,
    dsaEncoding: "ieee-p1363",
  });
  const name = "https://main.vault.azure.net/keys/ledger/1";
  return { ...head, signature: { key: name, value: signed.toString("base64url") } };
}

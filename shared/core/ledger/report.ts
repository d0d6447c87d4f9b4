import type { KeyObject } from "node:crypto";
import type { ChainStart, Head } from "./chain.ts";

/** What is wrong with an export, first of all. */
export type LedgerProblemKind =
  "removed" | "altered" | "reordered" | "repeated" | "signature" | "tail";

export interface LedgerProblem {
  readonly kind: LedgerProblemKind;
  /** The number of the first entry that is concerned. */
  readonly sequence: number;
  /** The number of the line at which the problem shows, from 1. Absent: the end of the file. */
  readonly line?: number;
  /** A sentence for an auditor. */
  readonly message: string;
}

/** The result of a verification. Without a problem, no entry between the first and the last was removed, altered or reordered. */
export interface LedgerReport {
  readonly problem?: LedgerProblem;
  /** The number of entries that follow each other without a problem. */
  readonly entries: number;
  /** Where the export begins. Absent: it is empty. */
  readonly start?: ChainStart;
  /** The number of the last entry without a problem. */
  readonly last: number;
  /** How many signatures were checked and are valid, and the last entry that they cover. */
  readonly signatures: { readonly valid: number; readonly through: number };
  /** How many heads have a signature that no key was given for. */
  readonly unchecked: number;
  /** The result for the head that the auditor gave. `earlier`: it names an entry before the first of the export. */
  readonly head: "none" | "matches" | "differs" | "earlier";
}

/** A head that an auditor has from elsewhere. */
export type KnownHead = Pick<Head, "sequence" | "hash">;

export interface VerifyOptions {
  readonly head?: KnownHead;
  /** Public keys, any of which may have signed a head. At least one head must be signed. Absent: signatures are not checked. */
  readonly keys?: readonly KeyObject[];
}

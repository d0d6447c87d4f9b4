import type { Instant } from "../time.ts";
import type { ChainedEntry } from "./chain.ts";
import type { LedgerEntry } from "./entry.ts";

/** Which entries a reader wants. Without a field, all. */
export interface LedgerFilter {
  readonly target?: string | undefined;
  readonly rotation?: string | undefined;
  readonly by?: string | undefined;
  readonly action?: string | undefined;
  readonly outcome?: string | undefined;
  readonly ticket?: string | undefined;
  /** The earliest moment. */
  readonly since?: Instant | undefined;
  /** Entries of this moment and later are left out. */
  readonly until?: Instant | undefined;
}

export function isWantedEntry(entry: LedgerEntry, filter: LedgerFilter): boolean {
  const { target, rotation, since, until } = filter;
  const fields = ["by", "action", "outcome", "ticket"] as const;
  return (
    fields.every((field) => filter[field] === undefined || filter[field] === entry[field]) &&
    (target === undefined || entry.targets?.includes(target) === true) &&
    (rotation === undefined || entry.rotations?.includes(rotation) === true) &&
    (since === undefined || entry.at >= since) &&
    (until === undefined || entry.at < until)
  );
}

/** An entry as people and programs see it. */
export interface LedgerView extends LedgerEntry {
  /** Its number in the chain. */
  readonly sequence: number;
  readonly hash: string;
}

/** Somebody may have damaged the stored entry: then what is left of it is shown. */
export function viewEntry({ sequence, hash, entry }: ChainedEntry): LedgerView {
  const damaged = {
    ...{ id: "unknown", at: "1970-01-01T00:00:00.000Z", by: "unknown" },
    ...{ action: "ledger.damage", outcome: "failed" },
  } as const;
  return { ...damaged, ...entry, sequence, hash };
}

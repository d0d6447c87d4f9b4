import { toCanonicalJson } from "../canonical.ts";
import { isObject, parseJson } from "../json.ts";
import type { Instant } from "../time.ts";
import { boundEntry, type LedgerEntry } from "./entry.ts";

/** The text of an entry in a row. Its fields go to the chain as they are, also those that this version does not know. */
export function writeEntry(entry: LedgerEntry): string {
  return toCanonicalJson(entry);
}

/**
 * The entry of a row that is not in the chain yet. A row that somebody has damaged must neither stop the ledger nor vanish, so an entry
 * about the damage takes its place.
 */
export function readEntry(
  text: unknown,
  { at, id }: { readonly at: Instant; readonly id: string },
): LedgerEntry {
  const value = typeof text === "string" ? parseJson(text) : undefined;
  if (isEntry(value) && value.id === id) return value;
  const detail = "The row of this entry was damaged before it was sealed.";
  return boundEntry({ id, at, by: "keyturn", action: "ledger.damage", outcome: "failed", detail });
}

/** An entry of the chain as it is stored. One that was damaged keeps its text, so that `verify` finds it. */
export function readChainedEntry(text: unknown): LedgerEntry {
  const value = typeof text === "string" ? parseJson(text) : undefined;
  return (isObject(value) ? value : { damaged: String(text) }) as unknown as LedgerEntry;
}

function isEntry(value: unknown): value is LedgerEntry {
  if (!isObject(value)) return false;
  const texts = ["id", "at", "by", "action", "outcome"];
  return texts.every((field) => typeof value[field] === "string");
}

import type { LedgerEntry } from "../../../shared/core/ledger/entry.ts";
import { toLines, toStartLine } from "../../../shared/core/ledger/lines.ts";
import type { Journal } from "../../../shared/stores/journal.ts";

/** Every entry: those of the chain first, then those that wait. */
export async function readLedger({ ledger }: Journal): Promise<LedgerEntry[]> {
  const segments = await ledger.segments(1, 1_000_000);
  const sealed = segments.flatMap(({ entries }) => entries.map(({ entry }) => entry));
  const waiting = (await ledger.unsealed(10_000)).map(({ entry }) => entry);
  return [...sealed, ...waiting];
}

/** The chain as an export has it. */
export async function exportLedger({ ledger }: Journal): Promise<string[]> {
  const segments = await ledger.segments(1, 1_000_000);
  return [toStartLine(await ledger.start()), ...segments.flatMap(toLines)];
}

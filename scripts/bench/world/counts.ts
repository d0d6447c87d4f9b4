import { z } from "zod";

/** The numbers of calls of the ports. */
export const countsShape = z.object({
  /** Conditional transactions of the journal. */
  transactions: z.number(),
  journalReads: z.number(),
  vaultCreates: z.number(),
  vaultReads: z.number(),
  /** A version is disabled. */
  vaultUpdates: z.number(),
  vaultLists: z.number(),
  queueSends: z.number(),
  /** Reads and writes of the marks with which instances share the limits of vaults. */
  paceCalls: z.number(),
});

export type Counts = z.output<typeof countsShape>;

export const noCounts = (): Counts => ({
  ...{ transactions: 0, journalReads: 0, queueSends: 0, paceCalls: 0 },
  ...{ vaultCreates: 0, vaultReads: 0, vaultUpdates: 0, vaultLists: 0 },
});

const fields = countsShape.keyof().options;

/** Returns the sum of all counts. */
export function sum(all: readonly Counts[]): Counts {
  const total = noCounts();
  for (const counts of all) for (const field of fields) total[field] += counts[field];
  return total;
}

/** Returns the difference to `before`. */
export function since(before: Counts, now: Counts): Counts {
  const added = noCounts();
  for (const field of fields) added[field] = now[field] - before[field];
  return added;
}

import type { Preview } from "../../core/breach/preview.ts";
import type { BreachChange } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";

/** Every write of a breach goes through these two functions. */
export async function createBreach(
  { journal }: Pick<Ports, "journal">,
  { breach, items }: Preview,
): Promise<void> {
  await journal.addBreach(breach, items);
}

/** Returns the new etag. Throws LeaseLostError. */
export async function writeBreach(
  { journal }: Pick<Ports, "journal">,
  change: BreachChange,
): Promise<string> {
  return journal.commitBreach(change);
}

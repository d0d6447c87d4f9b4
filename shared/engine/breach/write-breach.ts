import { type Breach, describeCounts } from "../../core/breach/breach.ts";
import { describeBreachSelection } from "../../core/breach/describe-selection.ts";
import type { Preview } from "../../core/breach/preview.ts";
import { type LedgerAction } from "../../core/ledger/actions.ts";
import { boundEntry } from "../../core/ledger/entry.ts";
import type { Origin } from "../../core/record/justification.ts";
import { keyturn } from "../../core/record/record.ts";
import { toInstant } from "../../core/time.ts";
import type { BreachChange } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";

type WritePorts = Pick<Ports, "journal" | "newId">;

/** What a person did to a breach. */
export interface BreachAct {
  readonly action: LedgerAction;
  readonly origin: Origin;
}

/** Every write of a breach goes through these two functions, which leave the entries for the ledger. */
export async function createBreach(ports: WritePorts, { breach, items }: Preview): Promise<void> {
  const entry = toEntry(ports, breach, { action: "breach.preview", origin: breach });
  await ports.journal.addBreach(breach, items, [entry]);
}

/** Returns the new etag. `act`: what a person did; `before`: the breach that is replaced. Throws LeaseLostError. */
export async function writeBreach(
  ports: WritePorts,
  change: Omit<BreachChange, "entries"> & { readonly before: Breach },
  act?: BreachAct,
): Promise<string> {
  const { before, ...rest } = change;
  const { breach } = change;
  const hasEnded = breach.state === "ended" && before.state !== "ended";
  const known = act ?? (hasEnded ? { action: "breach.end", origin: { by: keyturn } } : undefined);
  const entries = known ? [toEntry(ports, breach, known)] : [];
  return ports.journal.commitBreach({ ...rest, entries });
}

function toEntry({ journal, newId }: WritePorts, breach: Breach, { action, origin }: BreachAct) {
  const { id, counts, summary, selection } = breach;
  const { by, reason = breach.reason, ticket = breach.ticket } = origin;
  const isEnd = action === "breach.end";
  return boundEntry({
    ...{ id: newId(), at: toInstant(journal.now()), by, action, reason, ticket },
    outcome: isEnd ? (counts.rotated === summary.targets ? "succeeded" : "failed") : "accepted",
    targets: selection.targets,
    selection: describeBreachSelection(selection),
    detail: `breach ${id} of ${summary.targets} targets${isEnd ? `: ${describeCounts(counts)}` : ""}`,
  });
}

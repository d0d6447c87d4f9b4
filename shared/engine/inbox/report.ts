import { boundEntry, type EntryInput } from "../../core/ledger/entry.ts";
import { findWakeTime } from "../../core/lifecycle/decide.ts";
import { type TargetRecord } from "../../core/record/record.ts";
import { withoutSkip } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";
import { readForCaller } from "./read-for-caller.ts";
import { retryOnConflict } from "./retry-on-conflict.ts";

/** What a report means to the ledger, which knows the target and the time by itself. */
export type ReportEntry = Omit<EntryInput, "id" | "at" | "outcome" | "targets">;

/**
 * Accepts a caller's report about a target, even while a worker holds it. The report is durable when the function returns.
 * Nothing is written when `accept` returns the same record that it received.
 * Otherwise the ledger gets the entry, if there is one.
 */
export function report<Accepted extends { readonly record: TargetRecord }>(
  ports: Pick<Ports, "journal" | "pause" | "randomBytes" | "newId">,
  target: Target,
  accept: (record: TargetRecord, now: Instant) => Accepted,
  describe?: (accepted: Accepted) => ReportEntry,
): Promise<Accepted> {
  return retryOnConflict(ports, async () => {
    const { journal, newId } = ports;
    const { found, before, now } = await readForCaller(journal, target);
    const accepted = accept(before, now);
    // The report may be a reason to check a postponed target now.
    const record = accepted.record === before ? before : withoutSkip(accepted.record);
    if (record !== before) {
      const about = { id: newId(), at: now, outcome: "accepted", targets: [target.id] } as const;
      const entries = describe ? [boundEntry({ ...describe(accepted), ...about })] : [];
      const wakeAt = findWakeTime(record, now);
      await journal.commit({ record, etag: found?.etag, wakeAt, entries });
    }
    return accepted;
  });
}

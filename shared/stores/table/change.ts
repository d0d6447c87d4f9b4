import type { LedgerEntry } from "../../core/ledger/entry.ts";
import type { RunRecord } from "../../core/record/history.ts";
import { isTargetId } from "../../core/target.ts";
import type { JournalChange } from "../journal.ts";
import { isInstant, isRotationId } from "./row-keys.ts";

/** Rejects values from which no row key can be made. */
export function refuseUnstorable(change: JournalChange): void {
  const { record, wakeAt, runs = [], entries } = change;
  if (!isTargetId(record.targetId)) {
    throw new Error("A target id must have 1 to 63 lower-case letters, digits and hyphens.");
  }
  if (wakeAt !== undefined && !isInstant(wakeAt)) {
    throw new Error(`The wake time of target ${record.targetId} is not an instant in UTC.`);
  }
  if (!runs.every(({ rotationId }) => isRotationId(rotationId))) {
    throw new Error("A rotation id must have 1 to 64 letters, digits, hyphens and underscores.");
  }
  if (runs.some((run) => run.targetId !== record.targetId)) {
    throw new Error(`A rotation of another target cannot be stored with ${record.targetId}.`);
  }
  refuseUnstorableEntries(entries);
}

export function refuseUnstorableEntries(entries: readonly LedgerEntry[] = []): void {
  if (entries.every(({ at, id }) => isInstant(at) && isRotationId(id))) return;
  throw new Error("An entry of the ledger must have an instant in UTC and an id like a rotation.");
}

/** The last given row of each rotation, because a transaction may touch a row only once. */
export function keepLastOfEach(runs: readonly RunRecord[] = []): RunRecord[] {
  return [...new Map(runs.map((run) => [run.rotationId, run])).values()];
}

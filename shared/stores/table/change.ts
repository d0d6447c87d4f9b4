import type { RunRecord } from "../../core/record/rotation.ts";
import { isTargetId } from "../../core/target.ts";
import type { JournalChange } from "../journal.ts";
import { isInstant, isRotationId } from "./row-keys.ts";

/** What no journal takes, because no key can be made of it. */
export function refuseUnstorable({ record, wakeAt, runs = [], request }: JournalChange): void {
  if (!isTargetId(record.targetId)) {
    throw new Error("A target id has 1 to 63 lower-case letters, digits and hyphens.");
  }
  if (wakeAt !== undefined && !isInstant(wakeAt)) {
    throw new Error(`The wake time of target ${record.targetId} is no instant in UTC.`);
  }
  const rotationIds = [...runs.map((run) => run.rotationId), request?.rotationId ?? "-"];
  if (!rotationIds.every(isRotationId)) {
    throw new Error("A rotation id has 1 to 64 letters, digits, hyphens and underscores.");
  }
  if (runs.some((run) => run.targetId !== record.targetId)) {
    throw new Error(`A rotation of another target cannot be stored with ${record.targetId}.`);
  }
}

/** One of each rotation, the last one given: a transaction may touch a row only once. */
export function lastOfEach(runs: readonly RunRecord[] = []): RunRecord[] {
  return [...new Map(runs.map((run) => [run.rotationId, run])).values()];
}

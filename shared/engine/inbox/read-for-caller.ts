import { type TargetRecord } from "../../core/record/record.ts";
import { newRecord } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Journal, Versioned } from "../../stores/journal.ts";
import { reschedule } from "../work/reschedule.ts";

interface ReadForCaller {
  readonly found: Versioned | undefined;
  /** The record under the present configuration and freezes: no hold may outlive the policy or the freeze that it comes from. */
  readonly before: TargetRecord;
  readonly now: Instant;
}

/** Reads the target before a caller without a claim writes to it. A worker that holds the target reschedules it by itself. */
export async function readForCaller(
  journal: Pick<Journal, "read" | "now">,
  target: Target,
): Promise<ReadForCaller> {
  const found = await journal.read(target.id);
  const now = toInstant(journal.now());
  const known = found?.record ?? newRecord(target.id);
  const before = known.claim.owner === undefined ? reschedule(known, target, now) : known;
  return { found, before, now };
}

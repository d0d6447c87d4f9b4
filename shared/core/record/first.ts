import { isUrgent } from "../lifecycle/after-failure.ts";
import type { Reason, TargetRecord } from "./record.ts";

const urgentReasons: readonly Reason[] = ["operator", "exposure", "drift", "import", "undo"];

/**
 * Whether the target goes before other due targets: a person has requested its rotation, its secret was exposed, or its consumers may
 * be unable to log in. The same applies to retries after a failure.
 */
export function goesFirst(record: TargetRecord): boolean {
  const { request, given, rotation, again, exposure, refusedSince, check } = record;
  const reasons = [request?.reason, given?.reason, rotation?.reason, again?.reason];
  return (
    exposure !== undefined ||
    refusedSince !== undefined ||
    check !== undefined ||
    (rotation !== undefined && isUrgent(record, rotation)) ||
    reasons.some((reason) => reason !== undefined && urgentReasons.includes(reason))
  );
}

import { withoutAwaited } from "../../core/lifecycle/awaited.ts";
import { withHeartbeat } from "../../core/lifecycle/heartbeat.ts";
import { withDue, withDueAt, withPolicy } from "../../core/record/due.ts";
import { type Rotation, type TargetRecord } from "../../core/record/record.ts";
import { withoutHold, withoutRequestHolds } from "../../core/record/rotation.ts";
import { computeFingerprint, extractAdoptedPart, type Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";

/**
 * Returns the record, updated to the present configuration; the same object if no relevant field was edited. A changed policy
 * sets a new due moment. If the published secret or the accounts changed, the target is adopted again: verified first, and rotated
 * when it is due. A new target is adopted as well.
 */
export function reschedule(record: TargetRecord, target: Target, now: Instant): TargetRecord {
  const fingerprint = computeFingerprint(target);
  if (record.policyFingerprint === fingerprint) return record;
  if (record.rotation) return releaseRotationAfterEdit(record, record.rotation, target);
  const marked = {
    // The edit may have removed the freeze that delays a request.
    ...withPolicy(withoutRequestHolds(record), target),
    policyFingerprint: fingerprint,
  };
  if (!isAdoptedAs(record, fingerprint)) {
    const { adoptedAt, ...rest } = marked;
    const again = adoptedAt === undefined ? "" : " again: the configuration changed";
    return withDueAt(rest, now, `adopt the target${again}`);
  }
  // Policies do not apply to retries of an adoption.
  if (record.adoptedAt === undefined) return marked;
  const free = marked.awaited?.reason === "schedule" ? withoutAwaited(marked) : marked;
  return withRetry(withHeartbeat(withDue(free, target, now), target, now), record, now);
}

/**
 * Releases an open rotation from its hold after an edit of the policy, because the reason may be gone. This happens once per edit, and
 * never to a rotation whose change has begun.
 */
function releaseRotationAfterEdit(
  record: TargetRecord,
  rotation: Rotation,
  target: Target,
): TargetRecord {
  if (rotation.heldBy === undefined || rotation.changeBegan) return record;
  const marked = withPolicy(record, target);
  if (marked.policyFingerprint === record.policyFingerprint) return record;
  return { ...marked, rotation: withoutHold(rotation) };
}

/** Keeps the next try after a failure: an edit must not postpone it, but may remove the freeze that delays it. */
function withRetry(planned: TargetRecord, before: TargetRecord, now: Instant): TargetRecord {
  const { again, nextDue, dueReason = "" } = before;
  if (!again || nextDue === undefined) return planned;
  if (again.heldBy !== undefined) {
    const { heldBy: _, ...free } = again;
    return { ...withDueAt(planned, now, again.why), again: free };
  }
  if (planned.nextDue !== undefined && planned.nextDue <= nextDue) return planned;
  return withDueAt(planned, nextDue, dueReason);
}

function isAdoptedAs({ policyFingerprint = "" }: TargetRecord, fingerprint: string): boolean {
  return extractAdoptedPart(policyFingerprint) === extractAdoptedPart(fingerprint);
}

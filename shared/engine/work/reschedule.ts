import { dueAt, underPolicy, withDue } from "../../core/record/due.ts";
import { type Rotation, type TargetRecord, withoutHold } from "../../core/record/rotation.ts";
import { adoptedPart, computeFingerprint, type Target } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";

/**
 * The record as the configuration wants it now; the very same record if nothing that matters was edited. A policy that
 * changed gives a new due moment. Another secret to publish, or other accounts, mean that the target is adopted anew:
 * verified first, changed when it is due. What is new is to be adopted.
 */
export function reschedule(record: TargetRecord, target: Target, now: Instant): TargetRecord {
  const fingerprint = computeFingerprint(target);
  if (record.policyFingerprint === fingerprint) return record;
  if (record.rotation) return askedAgain(record, record.rotation, target);
  const marked = {
    ...underPolicy(releaseHoldAfterEdit(record), target),
    policyFingerprint: fingerprint,
  };
  if (!isAdoptedAs(record, fingerprint)) {
    const { adoptedAt, ...rest } = marked;
    const again = adoptedAt === undefined ? "" : " again: its configuration changed";
    return dueAt(rest, now, `to be adopted${again}`);
  }
  // No policy says when the adoption is tried again.
  if (record.adoptedAt === undefined) return marked;
  return withRetry(withDue(marked, target, now), record, now);
}

/**
 * Whatever held back an open rotation may be gone. That is asked once for each edit, and never of a rotation whose
 * change has begun.
 */
function askedAgain(record: TargetRecord, rotation: Rotation, target: Target): TargetRecord {
  if (rotation.heldBy === undefined || rotation.changeBegan) return record;
  const marked = underPolicy(record, target);
  if (marked.policyFingerprint === record.policyFingerprint) return record;
  return { ...marked, rotation: withoutHold(rotation) };
}

/** The next try after a failure is nothing that an edit may put off, but the freeze in its way may be gone. */
function withRetry(planned: TargetRecord, before: TargetRecord, now: Instant): TargetRecord {
  const { again, nextDue, dueReason = "" } = before;
  if (!again || nextDue === undefined) return planned;
  if (again.heldBy !== undefined) {
    const { heldBy: _, ...free } = again;
    return { ...dueAt(planned, now, again.why), again: free };
  }
  if (planned.nextDue !== undefined && planned.nextDue <= nextDue) return planned;
  return dueAt(planned, nextDue, dueReason);
}

/** A request that waits for the end of a freeze is asked again: the freeze may be gone. */
function releaseHoldAfterEdit(record: TargetRecord): TargetRecord {
  const { request } = record;
  if (request?.heldBy === undefined) return record;
  const { notBefore: _n, heldBy: _h, ...rest } = request;
  return { ...record, request: rest };
}

function isAdoptedAs({ policyFingerprint = "" }: TargetRecord, fingerprint: string): boolean {
  return adoptedPart(policyFingerprint) === adoptedPart(fingerprint);
}

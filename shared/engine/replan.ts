import { withDue, withoutDue } from "../core/due.ts";
import type { TargetRecord } from "../core/rotation.ts";
import { fingerprintOf, type Target } from "../core/target.ts";
import type { Instant } from "../core/time.ts";

/**
 * The record as the configuration wants it now; the very same record if nothing that matters was edited. A policy that
 * changed gives a new due moment. Another secret to publish, or other accounts, mean that the target is adopted anew:
 * verified first, changed when it is due.
 */
export function replan(record: TargetRecord, target: Target, now: Instant): TargetRecord {
  const fingerprint = fingerprintOf(target);
  if (record.adoptedAt === undefined || record.policyFingerprint === fingerprint) return record;
  if (record.rotation) return record;
  if (!onlyPolicyChanged(record, fingerprint)) {
    const { adoptedAt: _, ...rest } = withoutDue(record);
    return { ...rest, nextDue: now, dueReason: "to be adopted again: its configuration changed" };
  }
  const planned = { ...withDue(freed(record), target, now), policyFingerprint: fingerprint };
  return withRetry(planned, record);
}

/** The next try after a failure is nothing that an edit of the schedule may put off. */
function withRetry(planned: TargetRecord, before: TargetRecord): TargetRecord {
  const { again, nextDue, dueReason } = before;
  if (!again || nextDue === undefined) return planned;
  if (planned.nextDue !== undefined && planned.nextDue <= nextDue) return planned;
  return { ...planned, nextDue, ...(dueReason !== undefined && { dueReason }) };
}

/** A request that waits for the end of a freeze is asked again: the freeze may be gone. */
function freed(record: TargetRecord): TargetRecord {
  const { request } = record;
  if (request?.heldBy === undefined) return record;
  const { notBefore: _n, heldBy: _h, ...rest } = request;
  return { ...record, request: rest };
}

function onlyPolicyChanged({ policyFingerprint = "" }: TargetRecord, fingerprint: string): boolean {
  const withoutPolicy = (text: string) => text.slice(text.indexOf(" "));
  return withoutPolicy(policyFingerprint) === withoutPolicy(fingerprint);
}

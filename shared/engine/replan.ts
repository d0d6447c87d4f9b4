import { withoutDue } from "../core/progress.ts";
import type { TargetRecord } from "../core/rotation.ts";
import { nextDue } from "../core/schedule.ts";
import { slotOf } from "../core/slots.ts";
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
  const changedAt =
    record.lastSuccessAt ??
    (record.active === undefined ? undefined : slotOf(record, record.active).changedAt);
  const facts = { targetId: target.id, ...(changedAt !== undefined && { changedAt }) };
  const due = nextDue(target.policy, facts, now);
  return {
    ...withoutDue(record),
    ...(due.at !== undefined && { nextDue: due.at }),
    dueReason: due.reason,
    policyFingerprint: fingerprint,
  };
}

function onlyPolicyChanged({ policyFingerprint = "" }: TargetRecord, fingerprint: string): boolean {
  const withoutPolicy = (text: string) => text.slice(text.indexOf(" "));
  return withoutPolicy(policyFingerprint) === withoutPolicy(fingerprint);
}

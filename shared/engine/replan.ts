import { policyFingerprint } from "../core/policy.ts";
import { withoutDue } from "../core/progress.ts";
import type { TargetRecord } from "../core/rotation.ts";
import { nextDue } from "../core/schedule.ts";
import { slotOf } from "../core/slots.ts";
import type { Target } from "../core/target.ts";
import type { Instant } from "../core/time.ts";

/** The record with its due moment computed anew if the policy has changed since; otherwise the very same record. */
export function replan(record: TargetRecord, target: Target, now: Instant): TargetRecord {
  const fingerprint = policyFingerprint(target.policy);
  if (record.adoptedAt === undefined || record.policyFingerprint === fingerprint) return record;
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

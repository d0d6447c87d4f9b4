import { type Facts, nextDue } from "./schedule.ts";
import type { TargetRecord } from "./rotation.ts";
import { slotOf } from "./slots.ts";
import type { Target } from "./target.ts";
import type { Instant } from "./time.ts";

/** What the journal knows that due moments are computed from. */
export function factsOf(record: TargetRecord): Facts {
  const { targetId, published, adoptedAt, exposure } = record;
  const changedAt = lastChangeOf(record);
  return {
    targetId,
    ...(changedAt !== undefined && { changedAt }),
    // What was adopted without anything that consumers could use is due at once.
    ...(published && adoptedAt !== undefined && { adoptedAt }),
    ...(exposure && {
      exposedAt: exposure.at,
      exposureBy: exposure.by,
      exposureKind: exposure.kind,
    }),
  };
}

/** The last successful change of what consumers read, whoever made it. */
export function lastChangeOf(record: TargetRecord): Instant | undefined {
  const { active, published, lastSuccessAt, writtenAt } = record;
  if (!published) return writtenAt;
  const changedAt = active === undefined ? undefined : slotOf(record, active).changedAt;
  return [lastSuccessAt, changedAt]
    .filter((one) => one !== undefined)
    .sort()
    .at(-1);
}

/** The record with the next due moment that the policy gives it, and why then. */
export function withDue(record: TargetRecord, { policy }: Target, now: Instant): TargetRecord {
  const due = nextDue(policy, factsOf(record), now);
  return {
    ...withoutDue(record),
    ...(due.at !== undefined && { nextDue: due.at }),
    dueReason: due.reason,
  };
}

export function withoutDue(record: TargetRecord): TargetRecord {
  const { nextDue: _d, dueReason: _r, ...rest } = record;
  return rest;
}

import { computeNextDue, type Due, type Facts } from "../policy/due/schedule.ts";
import { fingerprintPolicy } from "../policy/policy.ts";
import { maxWhyLength, shorten } from "../shorten.ts";
import { computeFingerprint, extractAdoptedPart, type Target } from "../target.ts";
import type { Instant } from "../time.ts";
import type { Exposure, SecretEnd, TargetRecord } from "./record.ts";
import { mayHavePublished } from "./rotation.ts";
import { findSlot, mayHaveSecretOf } from "./slots.ts";

/** Limits the size of the record: a record that is too large to store would stop its target. */
const maxPolicies = 10;

/** The facts in the journal from which due times are computed. */
export function toFacts(record: TargetRecord): Facts {
  const { targetId, published, adoptedAt, exposure, lastUsedAt } = record;
  const changedAt = findLastChange(record);
  const endsAt = findSecretEnd(record)?.at;
  return {
    targetId,
    ...(changedAt !== undefined && { changedAt }),
    // A target adopted without a working published secret is due at once.
    ...(published && adoptedAt !== undefined && { adoptedAt }),
    ...(exposure &&
      isStillKept(exposure, record) && {
        exposedAt: countsFrom(exposure, changedAt),
        exposureBy: exposure.by,
        exposureKind: exposure.kind,
      }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    ...(endsAt !== undefined && { endsAt }),
  };
}

/** What is known about the end of the published secret. */
export function findSecretEnd({ published, secretEnd }: TargetRecord): SecretEnd | undefined {
  return secretEnd?.version === published?.version ? secretEnd : undefined;
}

/** Whether the exposed secret may still log in. A version that no account has any more no longer works. */
function isStillKept({ version }: Exposure, record: TargetRecord): boolean {
  const { published, rotation, slots } = record;
  if (version === undefined || !published || version === published.version) return true;
  if (mayHavePublished(rotation, version)) return true;
  return slots.some((slot) => mayHaveSecretOf(slot, version));
}

/** When the last report of the exposure says that the secret was seen. */
export function findLastSeen({ at, lastAt = at }: Exposure): Instant {
  return lastAt;
}

/** From when the exposure counts. If only later reports than the first one concern the secret of the last change, from that change. */
export function countsFrom(exposure: Exposure, changedAt: Instant | undefined): Instant {
  const { at } = exposure;
  if (changedAt === undefined || at >= changedAt) return at;
  return findLastSeen(exposure) >= changedAt ? changedAt : at;
}

/** The last successful change of the published secret, made by Keyturn or by a person. */
export function findLastChange(record: TargetRecord): Instant | undefined {
  const { active, published, lastSuccessAt, writtenAt } = record;
  if (!published) return writtenAt;
  const changedAt = active === undefined ? undefined : findSlot(record, active).changedAt;
  return [lastSuccessAt, changedAt]
    .filter((one) => one !== undefined)
    .sort()
    .at(-1);
}

/** The record with the next due time of its policy and the reason. */
export function withDue(record: TargetRecord, target: Target, now: Instant): TargetRecord {
  return withDueMoment(
    withPolicy(record, target),
    computeNextDue(target.policy, toFacts(record), now),
  );
}

/** The record with this due time. */
export function withDueMoment(
  record: TargetRecord,
  { at, reason, passedOver }: Omit<Due, "policy">,
): TargetRecord {
  return {
    ...withoutDue(record),
    ...(at !== undefined && { nextDue: at }),
    dueReason: shorten(reason, maxWhyLength),
    ...(passedOver.length > 0 && { passedOver: passedOver.map(brief) }),
  };
}

/** The record with a due time that does not come from the policy, such as a retry or the end of a wait. */
export function withDueAt(record: TargetRecord, at: Instant, reason: string): TargetRecord {
  return withDueMoment(record, { at, reason, passedOver: [] });
}

/**
 * The record with the fingerprint of its policy, and why that policy applies. The adopted part of the fingerprint stays unchanged;
 * otherwise Keyturn would not notice that the target must be adopted again.
 */
export function withPolicy(record: TargetRecord, target: Target): TargetRecord {
  const {
    policyFingerprint: before = computeFingerprint(target),
    policiesPassedOver: _,
    ...rest
  } = record;
  const others = target.policiesPassedOver.slice(0, maxPolicies).map(brief);
  return {
    ...rest,
    policyFingerprint: fingerprintPolicy(target.policy) + extractAdoptedPart(before),
    policyWhy: shorten(target.policyWhy, maxWhyLength),
    ...(others.length > 0 && { policiesPassedOver: others }),
  };
}

function brief<Explained extends { readonly why: string }>(explained: Explained): Explained {
  return { ...explained, why: shorten(explained.why, maxWhyLength) };
}

function withoutDue(record: TargetRecord): TargetRecord {
  const { nextDue: _d, dueReason: _r, passedOver: _p, ...rest } = record;
  return rest;
}

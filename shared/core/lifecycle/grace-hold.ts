import {
  type Rotation,
  type RotationRequest,
  type Superseded,
  type TargetRecord,
} from "../record/record.ts";
import {
  isRequestOfPerson,
  mayHaveChanged,
  withoutRequestHolds,
  withoutRotationHold,
} from "../record/rotation.ts";
import { chooseAccount } from "../record/slots.ts";
import type { Target } from "../target.ts";
import { clockToleranceMs, findEarliest, type Instant, minute, plus, second } from "../time.ts";

/** Milliseconds for a person who publishes a credential by hand before setting it on the target. */
export const handoverMs = 10 * minute;

/** Milliseconds. Vaults count in whole seconds, and their clock may differ from that of the journal. */
const toleranceMs = second + clockToleranceMs;

/** Until when a rotation or a request is delayed, and why. */
export interface Hold {
  readonly until: Instant;
  readonly why: string;
}

/** The fields of a rotation or request on which this hold depends. Without `at` the time of the request is not known. */
export type Wanted = Pick<RotationRequest, "reason" | "requestedBy" | "grace"> & {
  readonly at?: Instant;
};

/**
 * Until when the account to change is left alone, because somebody published the other account of the pair by hand and consumers may
 * still use this one. Does not apply to exposures, to the cure of a published secret that does not work, and to a request that a person
 * made after the publication. A shorter grace of the request counts.
 */
export function findGraceHold(
  record: TargetRecord,
  wanted: Wanted,
  target: Target,
  now: Instant,
): Hold | undefined {
  const { superseded, refusedSince, published } = record;
  if (!published || superseded?.account !== chooseAccount(target, record)) return undefined;
  if (mayIgnoreGrace(wanted, superseded)) return undefined;
  const { account } = superseded;
  const end = plus(superseded.at, Math.min(wanted.grace ?? target.grace, target.grace));
  // A secret that the target refuses for longer than a handover takes must be replaced.
  const until = findEarliest(end, refusedSince && plus(refusedSince, handoverMs)) ?? end;
  if (until <= now) return undefined;
  const why =
    `the other account was published by hand at ${superseded.at}, and consumers may use ${account} until its grace ends at ${end}. ` +
    `To rotate now, request it with cause exposure`;
  return { until, why };
}

/** The same for an open rotation. The account that the rotation may have changed already is not left alone. */
export function findGraceHoldOfOpen(
  record: TargetRecord,
  rotation: Rotation,
  target: Target,
  now: Instant,
): Hold | undefined {
  const isTheirs = rotation.account === chooseAccount(target, record);
  if (mayHaveChanged(rotation) && isTheirs) return undefined;
  return findGraceHold(record, { ...rotation, at: rotation.requestedAt }, target, now);
}

function mayIgnoreGrace(wanted: Wanted, superseded: Superseded): boolean {
  const { reason, at } = wanted;
  // An undo does not change the account; it publishes the account again.
  if (reason === "exposure" || reason === "drift" || reason === "undo") return true;
  return isRequestOfPerson(wanted) && at !== undefined && isAfter(at, superseded.at);
}

function isAfter(requestedAt: Instant, publishedAt: Instant): boolean {
  return requestedAt >= plus(publishedAt, toleranceMs);
}

/**
 * When a rotation counts as requested, after `added` joined a request of the time `at`. The time stays, except that a person who makes a
 * request after a publication by hand knows of it.
 */
export function laterRequest(
  at: Instant,
  added: Wanted,
  { superseded }: Pick<TargetRecord, "superseded">,
): Instant {
  const isNews =
    superseded !== undefined &&
    added.at !== undefined &&
    isRequestOfPerson(added) &&
    isAfter(added.at, superseded.at) &&
    !isAfter(at, superseded.at);
  return isNews ? (added.at ?? at) : at;
}

/**
 * The record after somebody published the account `active` by hand at `at`. Consumers may use the account, or the secret of the same
 * account, that was published before until the end of its grace, so it is not retired earlier either.
 */
export function withSuperseded(
  record: TargetRecord,
  { active, at }: { readonly active: string; readonly at: Instant },
  { grace }: Target,
): TargetRecord {
  const { active: account, retirement } = record;
  const end = plus(at, grace);
  if (account === undefined || account === active) {
    const isEarly = retirement?.accountStays === true && retirement.at < end;
    return { ...record, active, ...(isEarly && { retirement: { ...retirement, at: end } }) };
  }
  const isEarly = retirement?.account === account && retirement.at < end;
  return {
    ...record,
    active,
    superseded: { account, at },
    ...(isEarly && { retirement: { ...retirement, at: end } }),
  };
}

/** The record in which no account is left alone any more: consumers read no usable credential from the published secret. */
export function withoutSuperseded(record: TargetRecord): TargetRecord {
  const { superseded: _, ...rest } = record;
  return rest;
}

/**
 * The record in which everything that may wait for the grace is evaluated again at once, because the published secret does not work.
 * Windows and freezes delay it again.
 */
export function withoutGraceHolds(record: TargetRecord, now: Instant): TargetRecord {
  const { superseded, again } = record;
  if (!superseded) return record;
  const free = withoutRequestHolds(withoutRotationHold(record));
  return again?.heldBy === undefined ? free : { ...free, nextDue: now };
}

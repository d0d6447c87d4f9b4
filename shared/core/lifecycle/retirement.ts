import type { RetryPolicy } from "../policy/policy.ts";
import { describePause } from "../record/pause.ts";
import type { Exposure, Retirement, Rotation, TargetRecord } from "../record/record.ts";
import { endsSuperseded, hasOverlap, type Target, type VersionRef } from "../target.ts";
import { between, type Instant, minute, plus } from "../time.ts";
import { findNeedOf } from "./account-needed.ts";
import { findShortest } from "./combine.ts";
import { findUnansweredExposure } from "./exposure.ts";
import { isJoined } from "./request.ts";

/** Milliseconds. Two checks with less time between them prove no more than one. */
const minDistanceMs = minute;

export interface RetirementInput {
  readonly account: string;
  readonly rotation: Rotation;
  readonly published: VersionRef;
  readonly target: Target;
  readonly now: Instant;
}

/**
 * The retirement of the account, or of the secrets of the same account, that `rotation` superseded by publishing `published`. Undefined
 * when nothing superseded is left, or nothing can end it.
 */
export function findRetirement(
  record: TargetRecord,
  input: Omit<RetirementInput, "account"> & {
    /** Whether the system can disable an account. */
    readonly canRetire: boolean;
  },
): Retirement | undefined {
  const { rotation, target, canRetire } = input;
  const { active: account } = record;
  // Keyturn leaves an account alone that is no longer in the configuration.
  const isConfigured = target.slots.some((slot) => slot.account === account);
  if (account === undefined || !isConfigured || !endsSuperseded(target)) return undefined;
  const isLeft =
    account === rotation.account ? hasOverlap(target) && rotation.kept !== false : canRetire;
  return isLeft ? scheduleRetirement(record, { ...input, account }) : undefined;
}

/** The retirement of the account that `rotation` superseded by publishing `published`. */
function scheduleRetirement(
  record: TargetRecord,
  { account, rotation, published, target, now }: RetirementInput,
): Retirement {
  // A request that joined at the last moment also counts.
  const joined = isJoined(record) ? record.request : undefined;
  const asked = findShortest(joined?.grace, rotation.grace);
  const isWantedDead =
    asked !== undefined ||
    [rotation.reason, joined?.reason].includes("exposure") ||
    concernsOlder(findUnansweredExposure(record), published);
  const accountStays = account === rotation.account;
  // Sessions do not show with which of its secrets an account logged in.
  const isProvable = target.policy.retire === "proof" && !accountStays;
  return {
    account,
    at: plus(now, asked ?? target.grace),
    rotationId: rotation.id,
    failures: 0,
    ...(accountStays && { accountStays: true as const }),
    ...(isProvable && !isWantedDead && { proof: { seenInUse: 0 } }),
  };
}

/** Whether somebody may have seen a secret other than the published one. */
function concernsOlder(exposure: Exposure | undefined, published: VersionRef | undefined): boolean {
  return (
    exposure !== undefined &&
    (exposure.version === undefined || exposure.version !== published?.version)
  );
}

/**
 * Whether Keyturn must find the account unused before retiring it. It need not if somebody may have seen the secret since it was
 * superseded.
 */
export function needsProof({ retirement, exposure, published }: TargetRecord): boolean {
  return retirement?.proof !== undefined && !concernsOlder(exposure, published);
}

/**
 * Evaluates a check of the sessions of the account. "proven" when the previous check also found none and was long enough ago;
 * otherwise the retirement with the time of the next check. A check repeated too early, for example after a crash, does not count.
 */
export function decideAfterLook(
  retirement: Retirement,
  isInUse: boolean,
  { every }: RetryPolicy,
  now: Instant,
): Retirement | "proven" {
  const { seenInUse, quietSince } = retirement.proof ?? { seenInUse: 0 };
  const distance = Math.max(every, minDistanceMs);
  const waiting = { ...retirement, failures: 0, at: plus(now, distance) };
  if (isInUse) return { ...waiting, proof: { seenInUse: seenInUse + 1 } };
  if (quietSince === undefined) return { ...waiting, proof: { seenInUse, quietSince: now } };
  return between(quietSince, now) >= distance
    ? "proven"
    : { ...waiting, at: plus(quietSince, distance), proof: { seenInUse, quietSince } };
}

/** What the retirement waits for, in words for an operator. Empty when there is no retirement. */
export function describeWait(record: TargetRecord): string {
  const { retirement, pause } = record;
  if (!retirement) return "";
  const { account, failures, proof } = retirement;
  const need = findNeedOf(record, account);
  if (need) return `rotation ${need.rotationId}, which ${need.does} the account`;
  if (pause && pause.until > retirement.at) {
    return `the end of the pause: the target is ${describePause(pause)}`;
  }
  if (failures > 0) return "the next attempt; the last attempt failed";
  if (!proof || !needsProof(record)) return "the end of the grace period";
  const { quietSince, seenInUse } = proof;
  if (quietSince !== undefined)
    return `a second check; the first check found no session of the account at ${quietSince}`;
  return seenInUse === 0
    ? "the end of the grace period, and then proof that the account is unused"
    : `the account to become unused; checks that found open sessions so far: ${seenInUse}`;
}

/**
 * Whether the account may be retired: the target still has it, consumers do not read it, and an account or identity other than
 * itself can give it a new secret. Where the account stays, consumers must still read it.
 */
export function isRetirable(
  { active }: TargetRecord,
  { account, accountStays }: Retirement,
  target: Target,
): boolean {
  const isConfigured = target.slots.some((slot) => slot.account === account);
  if (accountStays) return isConfigured && hasOverlap(target) && active === account;
  return isConfigured && target.authority.as !== "self" && active !== account;
}

import type { RetryPolicy } from "../policy/policy.ts";
import type { Exposure, Retirement, Rotation, TargetRecord } from "../record/rotation.ts";
import type { Target, VersionRef } from "../target.ts";
import { between, type Instant, minute, plus } from "../time.ts";
import { unansweredExposure } from "./exposure.ts";
import { isJoined, shorter } from "./request.ts";

/** Milliseconds. Looks that follow each other closer show the same moment twice. */
const leastDistance = minute;

export interface RetirementInput {
  readonly account: string;
  readonly rotation: Rotation;
  readonly published: VersionRef;
  readonly target: Target;
  readonly now: Instant;
}

/** What becomes of the account that `rotation` has superseded by publishing `published`. */
export function scheduleRetirement(
  record: TargetRecord,
  { account, rotation, published, target, now }: RetirementInput,
): Retirement {
  // A request that joined in the last moment has its say all the same.
  const joined = isJoined(record) ? record.request : undefined;
  const asked = shorter(joined?.grace, rotation.grace);
  const isWantedDead =
    asked !== undefined ||
    [rotation.reason, joined?.reason].includes("exposure") ||
    concernsOlder(unansweredExposure(record), published);
  return {
    account,
    at: plus(now, asked ?? target.grace),
    rotationId: rotation.id,
    failures: 0,
    ...(target.policy.retire === "proof" && !isWantedDead && { proof: { seenInUse: 0 } }),
  };
}

/** Whether somebody may have seen another secret than the published one. */
function concernsOlder(exposure: Exposure | undefined, published: VersionRef | undefined): boolean {
  return (
    exposure !== undefined &&
    (exposure.version === undefined || exposure.version !== published?.version)
  );
}

/**
 * Whether the account must be seen unused before it is retired. Not if somebody may have seen its secret since it
 * was superseded.
 */
export function needsProof({ retirement, exposure, published }: TargetRecord): boolean {
  return retirement?.proof !== undefined && !concernsOlder(exposure, published);
}

/**
 * What a look at the sessions of the account has shown: "proven" when the one before had found nobody either, and
 * was long enough ago; otherwise the retirement as it waits for the next look. Of a look that is made again too early,
 * as after a crash, nothing is learnt.
 */
export function afterLook(
  retirement: Retirement,
  isInUse: boolean,
  { every }: RetryPolicy,
  now: Instant,
): Retirement | "proven" {
  const { seenInUse, quietSince } = retirement.proof ?? { seenInUse: 0 };
  const distance = Math.max(every, leastDistance);
  const waiting = { ...retirement, failures: 0, at: plus(now, distance) };
  if (isInUse) return { ...waiting, proof: { seenInUse: seenInUse + 1 } };
  if (quietSince === undefined) return { ...waiting, proof: { seenInUse, quietSince: now } };
  return between(quietSince, now) >= distance
    ? "proven"
    : { ...waiting, at: plus(quietSince, distance), proof: { seenInUse, quietSince } };
}

/** What its retirement waits for, in words for an operator. Empty when there is none. */
export function waitsFor(record: TargetRecord): string {
  const { retirement, rotation } = record;
  if (!retirement) return "";
  const { account, failures, proof } = retirement;
  if (rotation?.account === account)
    return `the rotation ${rotation.id}, which changes the account`;
  if (failures > 0) return "the next try, because the last one failed";
  if (!proof || !needsProof(record)) return "the end of its grace";
  const { quietSince, seenInUse } = proof;
  if (quietSince !== undefined) return `another look: nobody used the account at ${quietSince}`;
  return seenInUse === 0
    ? "the end of its grace, and then proof that nobody uses the account"
    : `the last user to leave: looks that found the account in use so far: ${seenInUse}`;
}

/**
 * Whether the account may be retired: it is still one of the target's, it is not what consumers read, and somebody else
 * than itself could give it a secret again.
 */
export function isRetirable(
  { active }: TargetRecord,
  { account }: Retirement,
  { slots, authority }: Target,
): boolean {
  const isConfigured = slots.some((slot) => slot.account === account);
  return isConfigured && authority.as !== "self" && active !== account;
}

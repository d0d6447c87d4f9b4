import type { GivenSecret } from "../record/given.ts";
import type { RunRecord } from "../record/history.ts";
import { findPause } from "../record/pause.ts";
import type { GivenRequest, Rotation, TargetRecord } from "../record/record.ts";
import { chooseAccount, findSlot } from "../record/slots.ts";
import type { Target, VersionRef } from "../target.ts";
import { type Instant, plus } from "../time.ts";
import { queueRotation, shortenRequest } from "./request.ts";

/** An import or an undo cannot be made now. The sentence is for the caller and has no final period. */
export interface Refused {
  readonly refused: string;
}

const isPair = ({ slots }: Target) => slots.length > 1;

/** Whether Keyturn may choose the secrets of the target. */
const isSettable = ({ origin }: Target) => origin === undefined;

/** Why no import or undo may be queued now, whatever its secret. */
export function findObstacle(
  record: TargetRecord,
  { id }: Target,
  now: Instant,
): Refused | undefined {
  const { adoptedAt, rotation, request, given } = record;
  if (rotation?.phase === "blocked") {
    return { refused: `target ${id} is blocked by rotation ${rotation.id}. Unblock it first` };
  }
  if (rotation) {
    const phase = `rotation ${rotation.id} of target ${id} is under way (phase ${rotation.phase})`;
    return { refused: `${phase}. Wait until it ends` };
  }
  if (adoptedAt === undefined) {
    return { refused: `Keyturn has not adopted target ${id} yet. Wait until it has` };
  }
  // A request that waits for a freeze does not prevent an import or an undo; it still follows.
  const starting = [given, request && (request.notBefore ?? now) <= now ? request : undefined];
  const queued = starting.find((one) => one !== undefined);
  if (!queued) return undefined;
  const advice = findPause(record, now)
    ? "It waits for the end of the pause. Resume the target, or request the rotation with `force`"
    : "Wait until it ends";
  return {
    refused: `rotation ${queued.rotationId} of target ${id} is queued (cause: ${queued.reason}). ${advice}`,
  };
}

/**
 * The previous secret, which an undo publishes again. Of a pair, it is that of the account that is not published, and the target must
 * still accept it. A single account gets it again.
 */
export function findPrevious(record: TargetRecord, target: Target): GivenSecret | Refused {
  const { active, published, exposedVersions = [] } = record;
  const { id, policy } = target;
  if (policy.undo === false) {
    return { refused: `policy ${policy.name} of target ${id} forbids an undo (undo: false)` };
  }
  if (!published || active === undefined) {
    return { refused: `Keyturn has published no secret of target ${id}` };
  }
  const account = chooseAccount(target, record);
  const ref = findPreviousRef(record, target, active);
  if (typeof ref === "string") return { refused: `target ${id} has nothing to undo: ${ref}` };
  if (exposedVersions.includes(ref.version)) {
    return {
      refused: `the previous secret of ${account} was reported as exposed (version ${ref.version} of ${ref.name}). Request a rotation instead`,
    };
  }
  return { by: "undo", account, ref, mayApply: !isPair(target) && isSettable(target) };
}

/** The version of the previous secret, or why there is none. */
function findPreviousRef(
  record: TargetRecord,
  target: Target,
  active: string,
): VersionRef | string {
  const account = chooseAccount(target, record);
  if (isPair(target) && !wasPublishedBefore(record, active, account)) {
    return `${account} was not published directly before the present version`;
  }
  const { current, previous } = findSlot(record, account);
  const ref = isPair(target) ? current : previous;
  if (!ref) {
    const isRetired = isPair(target) && previous !== undefined;
    return isRetired ? `${account} was retired` : `no previous secret of ${account} is known`;
  }
  const isOver = target.origin === "system" && isEnding(record, target);
  return isOver ? "the end of the previous secret has begun" : ref;
}

/** Whether the superseded secret was ended, or a request to end it may have been sent. */
const isEnding = ({ retirement }: TargetRecord, target: Target): boolean =>
  retirement ? retirement.failures > 0 : !isPair(target);

/** Whether the account was published until the present version of the active one: a rotation or a person published that instead. */
function wasPublishedBefore(record: TargetRecord, active: string, account: string): boolean {
  const { lastSuccessAt, superseded } = record;
  if (superseded?.account === account) return true;
  return lastSuccessAt !== undefined && findSlot(record, active).changedAt === lastSuccessAt;
}

/** The same, if the grace of the previous secret of a pair is not over. */
export function findUndo(
  record: TargetRecord,
  target: Target,
  now: Instant,
): GivenSecret | Refused {
  const previous = findPrevious(record, target);
  if ("refused" in previous) return previous;
  const mustStillWork = isPair(target) || target.origin === "system";
  const end = mustStillWork ? findGraceEnd(record, previous.account, target) : undefined;
  if (end === undefined || now < end) return previous;
  return {
    refused: `the grace of ${previous.account} ended at ${end}. Request a rotation instead`,
  };
}

/** Until when the previous secret of a pair may be used. Where nobody retires the account, the grace counts from the last change. */
function findGraceEnd(
  { retirement, lastSuccessAt, superseded }: TargetRecord,
  account: string,
  { grace }: Target,
): Instant | undefined {
  if (retirement?.account === account) return retirement.at;
  const since = superseded?.account === account ? superseded.at : lastSuccessAt;
  return since === undefined ? undefined : plus(since, grace);
}

export interface WantedImport {
  readonly account?: string;
  readonly mayApply: boolean;
}

/**
 * The account of an imported secret: the one that a rotation would change, unless the caller names another. The password of the
 * published account of a pair is never changed, because consumers use it: the target must have the imported secret already.
 */
export function chooseImported(
  record: TargetRecord,
  target: Target,
  { account = chooseAccount(target, record), mayApply }: WantedImport,
): Pick<GivenSecret, "account" | "mayApply"> {
  return {
    account,
    mayApply: mayApply && isSettable(target) && !isPublishedOfPair(record, account, target),
  };
}

/** Whether Keyturn may set the given secret, where the target does not have it already. */
export function mayApplyGiven(
  record: TargetRecord,
  { given, account }: Rotation,
  target: Target,
): boolean {
  if (given === undefined) return true;
  return given.mayApply && isSettable(target) && !isPublishedOfPair(record, account, target);
}

function isPublishedOfPair({ active }: TargetRecord, account: string, target: Target): boolean {
  return isPair(target) && active === account;
}

/** An import or undo in the journal. */
export interface Queued {
  readonly record: TargetRecord;
  readonly run: RunRecord;
}

/**
 * The record in which the import or undo waits for its start, and its history row. The target must not be claimed: a worker would not
 * know of it. A worker whose claim is over loses the claim.
 */
export function queueGiven(
  record: TargetRecord,
  request: GivenRequest,
  target: Target,
  now: Instant,
): Queued {
  const { held, run } = queueRotation(record, shortenRequest(request), target, now);
  const { fence, owner } = record.claim;
  const claim = owner === undefined ? record.claim : { fence: fence + 1 };
  return {
    record: { ...record, given: held, claim },
    run: { ...run, account: held.secret.account },
  };
}

import { type Claim, mayHaveChanged, type TargetRecord } from "../record/rotation.ts";
import { between, earliest, type Instant, minute, plus, second } from "../time.ts";
import { isJoined } from "./request.ts";

/** What a worker does with a target next. */
export type Work = "adopt" | "join" | "start" | "resume" | "check" | "retire" | "notify" | "wait";

/** The whole decision: a function of the record and the moment, of nothing else. */
export function decideWork(record: TargetRecord, now: Instant): Work {
  return listPendingWork(record, now).find(({ at }) => isReached(at, now))?.work ?? "wait";
}

/** When the sweep must look at the target again; undefined when only a person can bring anything about. */
export function wakeAt(record: TargetRecord, now: Instant): Instant | undefined {
  if (record.claim.owner !== undefined) return record.claim.until;
  return earliest(...listPendingWork(record, now).map(({ at }) => at));
}

interface PendingWork {
  readonly work: Work;
  /** Undefined: not at all, as things stand. */
  readonly at: Instant | undefined;
}

/** What there is to do and when, the most urgent first. Nothing of it is done while the target rests. */
function listPendingWork(record: TargetRecord, now: Instant): PendingWork[] {
  const { rotation, retirement } = record;
  const isOpen = rotation !== undefined && rotation.phase !== "blocked";
  // An account that is just being given a new secret must not lose it to the retirement of the old one.
  const mayRetire = retirement && retirement.account !== rotation?.account;
  const planned: PendingWork[] = [
    { work: "join", at: isJoined(record) ? now : undefined },
    { work: "resume", at: isOpen ? (rotation.nextAttemptAt ?? now) : undefined },
    { work: record.adoptedAt === undefined ? "adopt" : "start", at: beginsAt(record, now) },
    { work: "check", at: mayCheck(record) ? record.check?.at : undefined },
    { work: "retire", at: mayRetire ? retirement.at : undefined },
    { work: "notify", at: tellAt(record, now) },
  ];
  return planned.map(({ work, at }) => ({ work, at: at && latest(at, findRestEnd(record)) }));
}

function findRestEnd({ restUntil = "", skipped }: TargetRecord): Instant | undefined {
  const until = skipped?.until ?? "";
  return (restUntil > until ? restUntil : until) || undefined;
}

/** A rotation that may have changed something proves what it publishes itself. */
function mayCheck({ rotation, adoptedAt }: TargetRecord): boolean {
  return adoptedAt !== undefined && (rotation === undefined || !mayHaveChanged(rotation));
}

/** When a target without a rotation is adopted or given one; a blocked rotation holds everything up. */
function beginsAt(record: TargetRecord, now: Instant): Instant | undefined {
  const { rotation, request, nextDue, adoptedAt } = record;
  if (rotation) return undefined;
  const requested = request && (request.notBefore ?? now);
  // To adopt changes nothing, so no freeze that holds back the request holds back the adoption.
  if (adoptedAt === undefined) return request ? now : (nextDue ?? now);
  return earliest(requested, nextDue);
}

/** News at once; what some notifier did not want to hear, later. */
function tellAt({ outbox, outboxRetryAt }: TargetRecord, now: Instant): Instant | undefined {
  if (outbox.length === 0) return undefined;
  return outbox.some(({ toldTo }) => toldTo === undefined) ? now : (outboxRetryAt ?? now);
}

function latest(at: Instant, notBefore: Instant | undefined): Instant {
  return notBefore !== undefined && notBefore > at ? notBefore : at;
}

/** A claim is renewed before each step and always outlives the step's deadline. */
export const claimLength = 2 * minute;

/** Milliseconds by which the clocks of two workers may differ. */
const clockTolerance = 5 * second;

/**
 * A claim further ahead than its length was made by a clock that is wrong: it would hold the target for as long as that
 * clock is ahead, and is none.
 */
export function isClaimed(record: TargetRecord, now: Instant): boolean {
  const { owner, until } = record.claim;
  if (owner === undefined || until === undefined) return false;
  const left = between(now, until);
  return left > 0 && left <= claimLength + clockTolerance;
}

/** The record while `owner` works on the target, from this moment for the length of a claim. */
export function withClaim(
  record: TargetRecord,
  { fence, owner }: Required<Pick<Claim, "fence" | "owner">>,
  now: Instant,
): TargetRecord {
  return { ...record, claim: { fence, owner, until: plus(now, claimLength) } };
}

function isReached(moment: Instant | undefined, now: Instant): boolean {
  return moment !== undefined && moment <= now;
}

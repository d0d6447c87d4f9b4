import type { Rotation, TargetRecord } from "./rotation.ts";
import { earliest, type Instant, plus, minute } from "./time.ts";

/** What a worker does with a target next. */
export type Work = "adopt" | "start" | "resume" | "retire" | "notify" | "wait";

/** The whole decision: a function of the record and the moment, of nothing else. */
export function decideWork(record: TargetRecord, now: Instant): Work {
  const { rotation } = record;
  if (rotation && rotation.phase !== "blocked") {
    return isReached(rotation.nextAttemptAt ?? now, now) ? "resume" : afterwards(record, now);
  }
  if (record.adoptedAt === undefined) {
    return isReached(requestedAt(record, now) ?? record.nextDue ?? now, now)
      ? "adopt"
      : afterwards(record, now);
  }
  const start = earliest(requestedAt(record, now), record.nextDue);
  if (!rotation && isReached(start, now)) return "start";
  return afterwards(record, now);
}

function afterwards(record: TargetRecord, now: Instant): Work {
  if (isReached(record.retirement?.at, now) && !holdsAccount(record.rotation, record)) {
    return "retire";
  }
  if (record.outbox.length > 0 && isReached(record.outboxRetryAt ?? now, now)) return "notify";
  return "wait";
}

/** An account that is just being given a new secret must not lose it to the retirement of the old one. */
function holdsAccount(rotation: Rotation | undefined, record: TargetRecord): boolean {
  return rotation?.account === record.retirement?.account;
}

/** When the sweep must look at the target again; undefined when only a person can bring anything about. */
export function wakeAt(record: TargetRecord, now: Instant): Instant | undefined {
  if (record.claim.owner !== undefined) return record.claim.until;
  const { rotation } = record;
  const open = rotation !== undefined && rotation.phase !== "blocked";
  const retirement = holdsAccount(rotation, record) ? undefined : record.retirement?.at;
  return earliest(
    open ? (rotation.nextAttemptAt ?? now) : undefined,
    !rotation ? requestedAt(record, now) : undefined,
    !rotation ? record.nextDue : undefined,
    retirement,
    record.outbox.length > 0 ? (record.outboxRetryAt ?? now) : undefined,
  );
}

/** A claim is renewed before each step and always outlives the step's deadline. */
export const claimLength = 2 * minute;

export function isClaimed(record: TargetRecord, now: Instant): boolean {
  const { owner, until } = record.claim;
  return owner !== undefined && until !== undefined && until > now;
}

export function claimed(record: TargetRecord, owner: string, now: Instant): TargetRecord {
  const claim = { fence: record.claim.fence + 1, owner, until: plus(now, claimLength) };
  return { ...record, claim };
}

function requestedAt({ request }: TargetRecord, now: Instant): Instant | undefined {
  return request && (request.notBefore ?? now);
}

function isReached(moment: Instant | undefined, now: Instant): boolean {
  return moment !== undefined && moment <= now;
}

import { withCheck } from "../record/check.ts";
import type { TargetRecord } from "../record/record.ts";
import { between, type Instant, second } from "../time.ts";
import { decideWork } from "./decide.ts";

/** Milliseconds for which a proof of the published secret lets due work go before another log-in on request. */
const recentMs = 30 * second;

/**
 * Whether a log-in on request must leave the target to the worker whose work is due. Callers with many requests could otherwise keep
 * workers from it, because each log-in claims the target.
 */
export function mustYield(record: TargetRecord, now: Instant): boolean {
  const { verifiedAt } = record;
  const isRecent = verifiedAt !== undefined && between(verifiedAt, now) < recentMs;
  return isRecent && decideWork(record, now) !== "wait";
}

/**
 * The record with a check of the published secret that is due now, unless one is scheduled already. The adoption of a target checks its
 * secret by itself.
 */
export function withDoubt(record: TargetRecord, why: string, now: Instant): TargetRecord {
  const { check, adoptedAt } = record;
  return check !== undefined || adoptedAt === undefined ? record : withCheck(record, why, now);
}

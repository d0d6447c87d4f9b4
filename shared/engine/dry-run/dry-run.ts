import { type DryRun, type DryRunConflict, findConflict, toDryRun } from "../../core/dry-run.ts";
import { LeaseLostError } from "../../core/errors.ts";
import { findWakeTime } from "../../core/lifecycle/decide.ts";
import { newRecord } from "../../core/record/rotation.ts";
import type { Target } from "../../core/target.ts";
import { type Instant, second, toInstant } from "../../core/time.ts";
import type { Ports } from "../ports.ts";
import { openSession } from "../session.ts";
import { runChecks } from "./checks.ts";

export type DryRunOutcome = { readonly done: DryRun } | { readonly conflict: DryRunConflict };

export interface DryRunEnd {
  readonly outcome: DryRunOutcome;
  /** When the target is due, if the dry run held its claim. */
  readonly wakeAt?: Instant | undefined;
}

/** Milliseconds. Shorter than in a rotation, because a person waits for the answer. */
const maxCallMs = 10 * second;

/**
 * Makes every check of a rotation that changes nothing. It holds the claim, so that no two callers spend the wrong guesses that an
 * account has left; the journal keeps only the claim and refused log-ins.
 */
export async function dryRun(ports: Ports, target: Target): Promise<DryRunEnd> {
  const found = await ports.journal.read(target.id);
  const record = found?.record ?? newRecord(target.id);
  const conflict = findConflict(record, toInstant(ports.journal.now()));
  if (conflict) return { outcome: { conflict } };
  const hurried: Ports = {
    ...ports,
    deadline: (milliseconds) => ports.deadline(Math.min(milliseconds, maxCallMs)),
  };
  const opening = { record, etag: found?.etag };
  const session = openSession(hurried, target, ports.newId(), opening);
  try {
    await session.flush();
    const checks = await runChecks(session).finally(() => session.release());
    const wakeAt = findWakeTime(session.record(), session.now());
    return { outcome: { done: toDryRun(target, checks) }, wakeAt };
  } catch (error) {
    if (!(error instanceof LeaseLostError)) throw error;
    const why = `Another worker has taken target ${target.id} meanwhile. Try again.`;
    return { outcome: { conflict: { why, retryAfter: 5 * second } } };
  }
}

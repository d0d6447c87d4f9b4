import type { Policy } from "../policy/policy.ts";
import { withDue } from "../record/due.ts";
import type { TargetRecord } from "../record/record.ts";
import { maxNameLength, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { between, hour, type Instant } from "../time.ts";

/** A report that somebody used the published secret. */
export interface Use {
  readonly at: Instant;
  /** Who used it. */
  readonly by?: string;
}

export interface AcceptedUse {
  /** Whether it postpones a change, or starts the clock of one. A use that does not may still be recorded. */
  readonly counted: boolean;
  /** Why, and what the caller can do if uses have no effect. */
  readonly why: string;
  /** The same object as before when the use changes nothing. */
  readonly record: TargetRecord;
}

/** Milliseconds between two writes of uses to the journal, because callers may report thousands of uses. */
const minUseIntervalMs = hour;

/**
 * Accepts a report that somebody used the secret. The caller writes only the last use and the due time, so a worker that holds the
 * claim can merge them.
 */
export function acceptUse(
  record: TargetRecord,
  target: Target,
  use: Use,
  now: Instant,
): AcceptedUse {
  const at = use.at < now ? use.at : now;
  const { lastUsedAt: known, lastUsedBy: _, ...rest } = record;
  const noEffect = reasonNotToCount(target.policy);
  if (known !== undefined && between(known, at) < minUseIntervalMs) {
    const order = at < known ? "a later use" : "a use within the hour before";
    return { counted: false, why: noEffect ?? `${order} is already recorded, at ${known}`, record };
  }
  const used = { ...rest, lastUsedAt: at, ...by(use) };
  const planned = isPlannedByUse(used, target) ? withDue(used, target, now) : used;
  const why = noEffect ?? `the secret was used at ${at}`;
  return { counted: noEffect === undefined, why, record: planned };
}

function reasonNotToCount({ name, afterIdle, manualOnly }: Policy): string | undefined {
  if (afterIdle === undefined) {
    return `policy ${name} has no afterIdle, so uses neither start nor postpone a rotation; set afterIdle to change that`;
  }
  return manualOnly
    ? `policy ${name} is manualOnly, so uses neither start nor postpone a rotation`
    : undefined;
}

function by({ by: user }: Use): Pick<TargetRecord, "lastUsedBy"> {
  return user === undefined ? {} : { lastUsedBy: shorten(user, maxNameLength) };
}

/** A retry after a failure is not postponed, and the end of an open rotation reschedules the target. */
function isPlannedByUse({ adoptedAt, rotation, again }: TargetRecord, { policy }: Target): boolean {
  return policy.afterIdle !== undefined && adoptedAt !== undefined && !rotation && !again;
}

/** `next` with the use that a caller reported while this worker worked on it. The later use counts. */
export function withTheirUse(
  next: TargetRecord,
  { lastUsedAt: at, lastUsedBy: by }: TargetRecord,
  target: Target,
  now: Instant,
): TargetRecord {
  if (at === undefined) return next;
  return acceptUse(next, target, { at, ...(by !== undefined && { by }) }, now).record;
}

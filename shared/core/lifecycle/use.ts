import type { Policy } from "../policy/policy.ts";
import { withDue } from "../record/due.ts";
import type { TargetRecord } from "../record/rotation.ts";
import { longestName, shorten } from "../shorten.ts";
import type { Target } from "../target.ts";
import { between, hour, type Instant } from "../time.ts";

/** Somebody used the secret that consumers read. */
export interface Use {
  readonly at: Instant;
  /** Who used it. */
  readonly by?: string;
}

export interface AcceptedUse {
  /** Whether it puts off a change, or starts the clock of one. A use that does not may be recorded all the same. */
  readonly counted: boolean;
  /** Why, and what to do where uses have no effect. */
  readonly why: string;
  /** The very same record when it changes nothing. */
  readonly record: TargetRecord;
}

/** Milliseconds. Uses may be reported by the thousand; the journal is written at most so often for them. */
const grain = hour;

/**
 * Takes a report that the secret was used. Only the last use and the due moment are written, so a worker that holds the
 * claim can take them over.
 */
export function acceptUse(
  record: TargetRecord,
  target: Target,
  use: Use,
  now: Instant,
): AcceptedUse {
  const at = use.at < now ? use.at : now;
  const { lastUsedAt: known, lastUsedBy: _, ...rest } = record;
  const vain = reasonNotToCount(target.policy);
  if (known !== undefined && between(known, at) < grain) {
    const order = at < known ? "a later use" : "a use less than an hour before";
    return { counted: false, why: vain ?? `${order} is known, at ${known}`, record };
  }
  const used = { ...rest, lastUsedAt: at, ...by(use) };
  const planned = isPlannedByUse(used, target) ? withDue(used, target, now) : used;
  const why = vain ?? `the secret was used at ${at}`;
  return { counted: vain === undefined, why, record: planned };
}

function reasonNotToCount({ name, afterIdle, manualOnly }: Policy): string | undefined {
  if (afterIdle === undefined) {
    return `policy ${name} has no afterIdle, so uses make no rotation due and put none off; set afterIdle if they should`;
  }
  return manualOnly
    ? `policy ${name} is manualOnly, so uses make no rotation due and put none off`
    : undefined;
}

function by({ by: user }: Use): Pick<TargetRecord, "lastUsedBy"> {
  return user === undefined ? {} : { lastUsedBy: shorten(user, longestName) };
}

/** Another try after a failure is not put off, and what is under way is planned when it ends. */
function isPlannedByUse({ adoptedAt, rotation, again }: TargetRecord, { policy }: Target): boolean {
  return policy.afterIdle !== undefined && adoptedAt !== undefined && !rotation && !again;
}

/** `next` with the use that somebody reported while we worked on it; the later one counts. */
export function withTheirUse(
  next: TargetRecord,
  { lastUsedAt: at, lastUsedBy: by }: TargetRecord,
  target: Target,
  now: Instant,
): TargetRecord {
  if (at === undefined) return next;
  return acceptUse(next, target, { at, ...(by !== undefined && { by }) }, now).record;
}

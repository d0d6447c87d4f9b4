import { splitIntoChunks } from "../../core/chunks.ts";
import { LeaseLostError } from "../../core/errors.ts";
import { findWakeTime } from "../../core/lifecycle/decide.ts";
import { newRecord } from "../../core/record/rotation.ts";
import { computeFingerprint, type Target } from "../../core/target.ts";
import { hour, type Instant, plus, toInstant } from "../../core/time.ts";
import {
  type Journal,
  type JournalChange,
  type Unreadable,
  UnreadableRowError,
} from "../../stores/journal.ts";
import { reschedule } from "../work/reschedule.ts";

interface Registering {
  readonly journal: Journal;
}

/** Targets in the journal that this instance cannot continue. */
export interface Leftovers {
  /** Targets whose row cannot be read. Keyturn does not work on them. */
  readonly unreadable: readonly Unreadable[];
  /** Targets that were removed from the configuration during a rotation. */
  readonly abandoned: readonly string[];
}

interface Registered extends Leftovers {
  /** Whether every row now matches the configuration. */
  readonly settled: boolean;
}

/** Milliseconds between registrations. Meanwhile, a process of another version may have rescheduled targets by its own configuration. */
const distance = hour;

/**
 * Returns a function that registers the targets on its first call, then hourly, and on the next call if another writer interfered.
 * It returns undefined when no registration was due.
 */
export function makeRegistrar(
  { journal }: Registering,
  targets: readonly Target[],
): () => Promise<Leftovers | undefined> {
  let doing: Promise<Registered> | undefined;
  let again: Instant | undefined;
  return async () => {
    if (doing) {
      await doing;
      return undefined;
    }
    const now = toInstant(journal.now());
    if (again !== undefined && now < again) return undefined;
    doing = register({ journal }, targets);
    try {
      const registered = await doing;
      again = registered.settled ? plus(now, distance) : undefined;
      return registered;
    } finally {
      doing = undefined;
    }
  };
}

/** Adds every configured target to the journal, and reschedules exactly those that an edit affects. */
export async function register(
  { journal }: Registering,
  targets: readonly Target[],
): Promise<Registered> {
  const { records, unreadable } = await journal.targets();
  const now = toInstant(journal.now());
  const known = new Map(records.map((record) => [record.targetId, record]));
  const leftAlone = new Set(unreadable.map(({ id }) => id));
  let settled = true;
  for (const batch of splitIntoChunks(targets, 16)) {
    const done = await Promise.all(
      batch.map(async (target) => {
        if (leftAlone.has(target.id)) return true;
        const isPlanned = known.get(target.id)?.policyFingerprint === computeFingerprint(target);
        return isPlanned || (await rescheduleTarget(journal, target, now).catch(leaveIfUnreadable));
      }),
    );
    settled &&= done.every(Boolean);
  }
  const configured = new Set(targets.map((target) => target.id));
  const abandoned = records
    .filter((record) => record.rotation && !configured.has(record.targetId))
    .map((record) => record.targetId);
  return { unreadable, abandoned, settled };
}

/** Ignores an unreadable row: a newer version of Keyturn may have just written it. The next listing reports it. */
function leaveIfUnreadable(error: unknown): false {
  if (error instanceof UnreadableRowError) return false;
  throw error;
}

/**
 * Reschedules the target to match the configuration. Returns whether the row now matches. A target that a worker holds is left to that
 * worker, whose configuration may differ, and is checked again later.
 */
async function rescheduleTarget(journal: Journal, target: Target, now: Instant): Promise<boolean> {
  const found = await journal.read(target.id);
  const before = found?.record ?? newRecord(target.id);
  if (before.claim.owner !== undefined) return false;
  const record = reschedule(before, target, now);
  // Nothing to reschedule while a rotation is open: the worker that finishes it reschedules the target.
  if (record === before) return true;
  const written = await tryCommit(journal, {
    record,
    etag: found?.etag,
    wakeAt: findWakeTime(record, now),
  });
  return written === "written";
}

async function tryCommit(journal: Journal, change: JournalChange): Promise<"written" | "conflict"> {
  try {
    await journal.commit(change);
    return "written";
  } catch (error) {
    if (error instanceof LeaseLostError) return "conflict";
    throw error;
  }
}

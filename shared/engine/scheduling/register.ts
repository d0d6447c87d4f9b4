import { splitIntoChunks } from "../../core/chunks.ts";
import { LeaseLostError } from "../../core/errors.ts";
import { findWakeTime } from "../../core/lifecycle/decide.ts";
import { findHold } from "../../core/lifecycle/hold.ts";
import { findHoldOfRequest } from "../../core/lifecycle/permit.ts";
import { type RotationRequest, type TargetRecord } from "../../core/record/record.ts";
import { newRecord } from "../../core/record/rotation.ts";
import { computeFingerprint, extractAdoptedPart, type Target } from "../../core/target.ts";
import { hour, type Instant, plus, second, toInstant } from "../../core/time.ts";
import {
  type Journal,
  type JournalChange,
  type Unreadable,
  UnreadableRowError,
} from "../../stores/journal.ts";
import type { Freezes } from "../fleet/frozen-targets.ts";
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

/** Milliseconds after which every process knows a freeze that was set or ended. */
const soon = 30 * second;

/**
 * Returns a function that registers the targets on its first call, then hourly, on the next call if another writer interfered, and
 * when somebody has set or ended a freeze, or one has ended by itself.
 * It returns undefined when no registration was due.
 */
export function makeRegistrar(
  { journal, freezes }: Registering & { readonly freezes: Freezes },
  targets: readonly Target[],
): () => Promise<Leftovers | undefined> {
  let doing: Promise<Registered | undefined> | undefined;
  let again: Instant | undefined;
  let seen: string | undefined;

  async function registerIfDue(): Promise<Registered | undefined> {
    const now = toInstant(journal.now());
    const signature = await freezes.signature();
    const isFrozenAnew = seen !== undefined && signature !== seen;
    if (again !== undefined && now < again && !isFrozenAnew) return undefined;
    again = undefined;
    const registered = await register({ journal }, await freezes.applyToAll(targets), isFrozenAnew);
    if (!registered.settled) return registered;
    seen = signature;
    // Until then a process that does not know of the freeze may have rescheduled targets without it.
    again = plus(now, isFrozenAnew ? soon : distance);
    return registered;
  }

  return async () => {
    if (doing) {
      await doing;
      return undefined;
    }
    doing = registerIfDue();
    try {
      return await doing;
    } finally {
      doing = undefined;
    }
  };
}

/** Adds every configured target to the journal, and reschedules exactly those that an edit affects. */
export async function register(
  { journal }: Registering,
  targets: readonly Target[],
  isFrozenAnew = false,
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
        const record = known.get(target.id);
        const isEvaluatedAgain =
          isFrozenAnew && record !== undefined && isHeldOtherwise(record, target, now);
        const isPlanned = record?.policyFingerprint === computeFingerprint(target);
        if (isPlanned && !isEvaluatedAgain) return true;
        return rescheduleTarget(journal, target, now, isEvaluatedAgain).catch(leaveIfUnreadable);
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

/** Whether something waits for a moment other than the freezes of now set. */
function isHeldOtherwise(record: TargetRecord, target: Target, now: Instant): boolean {
  const { request, given, rotation, again } = record;
  if (again?.heldBy !== undefined) return true;
  const held = [request, given].filter((one) => one?.heldBy !== undefined);
  if (held.length > 0) {
    const isOutdated = (one: RotationRequest) =>
      findHoldOfRequest(one, record, target, now)?.until !== one.notBefore;
    return held.some((one) => one !== undefined && isOutdated(one));
  }
  if (rotation?.heldBy === undefined) return false;
  return findHold(record, rotation, target, now)?.until !== rotation.nextAttemptAt;
}

/**
 * The record as if its policy had been edited, so that its holds are evaluated again. A caller may have stored the hold of a freeze in a
 * record whose fingerprint a worker wrote without that freeze.
 */
function asEdited(record: TargetRecord): TargetRecord {
  const { policyFingerprint = "" } = record;
  return { ...record, policyFingerprint: `frozen${extractAdoptedPart(policyFingerprint)}` };
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
async function rescheduleTarget(
  journal: Journal,
  target: Target,
  now: Instant,
  isEvaluatedAgain: boolean,
): Promise<boolean> {
  const found = await journal.read(target.id);
  const before = found?.record ?? newRecord(target.id);
  if (before.claim.owner !== undefined) return false;
  const record = reschedule(isEvaluatedAgain ? asEdited(before) : before, target, now);
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

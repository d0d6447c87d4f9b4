import { VaultUnavailableError } from "../../core/errors.ts";
import { toRunRecord } from "../../core/lifecycle/progress.ts";
import {
  mayWaitForVault,
  reportLongThrottle,
  withThrottle,
} from "../../core/lifecycle/throttling.ts";
import type { Rotation, TargetRecord } from "../../core/record/record.ts";
import { toFailure } from "../failure.ts";
import { VaultBusyError } from "../fleet/room.ts";
import type { TargetSession } from "../session.ts";

/** Postpones the rotation if the error says that a vault is busy. That is not a failure. Returns whether it did. */
export async function holdBackForVault(session: TargetSession, error: unknown): Promise<boolean> {
  const record = session.record();
  const { rotation } = record;
  if (!rotation) return false;
  if (error instanceof VaultBusyError) {
    const held = { ...rotation, nextAttemptAt: error.until, heldBy: error.message };
    await commitHold(session, { ...record, rotation: held });
    return true;
  }
  return holdBackWhileThrottled(session, rotation, error);
}

async function holdBackWhileThrottled(
  session: TargetSession,
  rotation: Rotation,
  error: unknown,
): Promise<boolean> {
  if (!(error instanceof VaultUnavailableError)) return false;
  const { retryAfter, message } = error;
  const now = session.now();
  if (retryAfter === undefined || !mayWaitForVault(rotation, now)) return false;
  const waiting = withThrottle(rotation, { retryAfter, message }, now);
  const held: TargetRecord = { ...session.record(), rotation: waiting };
  const failure = toFailure(session, error);
  const reported = reportLongThrottle(held, failure);
  if (reported === held) {
    await commitHold(session, held);
    return true;
  }
  const run = toRunRecord(waiting, { record: reported, state: "running", now, failure });
  await commitHold(session, reported, [run]);
  session.emit({
    ...{ type: "attempt-failed", rotationId: rotation.id, account: rotation.account, failure },
    detail: "the vault has throttled the rotation for long",
  });
  return true;
}

/** Writes a record whose rotation waits until a known moment. */
export async function commitHold(
  session: TargetSession,
  held: TargetRecord,
  runs: Parameters<TargetSession["commit"]>[1] = [],
): Promise<void> {
  await session.commit(held, runs);
  const { id, account, nextAttemptAt, heldBy } = held.rotation ?? {};
  session.emit({
    type: "held-back",
    ...(id !== undefined && { rotationId: id }),
    ...(account !== undefined && { account }),
    ...(nextAttemptAt !== undefined && { nextAttemptAt }),
    ...(heldBy !== undefined && { detail: heldBy }),
  });
}

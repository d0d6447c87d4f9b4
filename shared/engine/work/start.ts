import { withDateReached } from "../../core/lifecycle/dated.ts";
import type { Hold } from "../../core/lifecycle/grace-hold.ts";
import { decideStart } from "../../core/lifecycle/permit.ts";
import { beginRotation, toRunRecord } from "../../core/lifecycle/progress.ts";
import { fingerprintPolicy } from "../../core/policy/policy.ts";
import { withDueAt } from "../../core/record/due.ts";
import type { RotationRequest, TargetRecord } from "../../core/record/record.ts";
import { chooseAccount } from "../../core/record/slots.ts";
import { takeRoomForBoth, VaultBusyError } from "../fleet/room.ts";
import { findAdminUser, waitForUser } from "../looks/admin-in-use.ts";
import type { TargetSession } from "../session.ts";
import { awaitNewValue } from "./await-value.ts";

/** Opens a rotation in the journal. Nothing has been changed yet. */
export async function start(session: TargetSession): Promise<void> {
  const user = await findAdminUser(session.ports, session.target);
  const record = withDateReached(session.record(), session.now());
  if (user !== undefined) {
    await session.commit(postponeStart(record, waitForUser(user, session.now())));
    return;
  }
  const permitted = decideStart(record, session.target, session.now());
  if ("held" in permitted) {
    await session.commit(permitted.held);
    session.emit({ type: "held-back", detail: permitted.why });
    return;
  }
  if (session.target.origin === "people" && !permitted.given) {
    await awaitNewValue(session, record, permitted);
    return;
  }
  const busy = await noRoom(session);
  if (busy) {
    session.stage(postponeStart(record, busy));
    return;
  }
  const { intent, given, why } = permitted;
  const request: RotationRequest = {
    ...intent,
    rotationId: intent.rotationId ?? session.ports.newId(),
  };
  const account = given?.account ?? chooseAccount(session.target, record);
  const grounds = { why, policyFingerprint: fingerprintPolicy(session.target.policy) };
  const now = session.now();
  const begun = beginRotation(record, { account, request, grounds, now, ...(given && { given }) });
  const { rotation } = begun;
  const runs = rotation
    ? [toRunRecord(rotation, { record: begun, state: "running", now: session.now() })]
    : [];
  await session.commit(begun, runs);
  const { reason, rotationId } = request;
  session.emit({ type: "started", rotationId, account, cause: reason });
}

/** Reserves room for the versions of the rotation. Returns why and until when it must wait, if there is no room. */
async function noRoom(session: TargetSession): Promise<Hold | undefined> {
  try {
    await takeRoomForBoth(session);
    return undefined;
  } catch (error) {
    if (!(error instanceof VaultBusyError)) throw error;
    return { until: error.until, why: error.message };
  }
}

/** Postpones the due moment and the request, whichever is present. */
function postponeStart(record: TargetRecord, { until, why }: Hold): TargetRecord {
  const { request, given, nextDue } = record;
  const isDue = nextDue !== undefined && nextDue < until;
  return {
    ...(isDue ? withDueAt(record, until, why) : record),
    ...(request && { request: { ...request, notBefore: until, heldBy: why } }),
    ...(given && { given: { ...given, notBefore: until, heldBy: why } }),
  };
}

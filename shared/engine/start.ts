import { isClaimed } from "../core/decide.ts";
import { dueAt } from "../core/due.ts";
import { permit } from "../core/permit.ts";
import { policyFingerprint } from "../core/policy.ts";
import { beginRotation, runOf } from "../core/progress.ts";
import type { RotationRequest, TargetRecord } from "../core/rotation.ts";
import { accountToChange } from "../core/slots.ts";
import type { Target } from "../core/target.ts";
import { type Instant, plus, second, toInstant } from "../core/time.ts";
import { UnreadableRowError } from "../stores/journal.ts";
import type { Session } from "./session.ts";

/** Milliseconds an admin credential waits while another target is being changed with it. */
const adminInUseDelay = 30 * second;

/** Opens a rotation: from here on the journal knows of it, and nothing has been done. */
export async function start(session: Session): Promise<void> {
  const user = await userOfAdmin(session);
  const record = session.record();
  if (user !== undefined) {
    await session.commit(postponed(record, plus(session.now(), adminInUseDelay), user));
    return;
  }
  const permitted = permit(record, session.target, session.now());
  if ("held" in permitted) {
    await session.commit(permitted.held);
    session.emit({ type: "held-back", detail: permitted.why });
    return;
  }
  const { wish, why } = permitted;
  const request: RotationRequest = {
    ...wish,
    rotationId: wish.rotationId ?? session.ports.newId(),
  };
  const account = accountToChange(session.target, record);
  const grounds = { why, policyFingerprint: policyFingerprint(session.target.policy) };
  const begun = beginRotation(record, account, request, grounds, session.now());
  const { rotation } = begun;
  const runs = rotation ? [runOf(rotation, begun, "running", session.now())] : [];
  await session.commit(begun, runs);
  const { reason, rotationId } = request;
  session.emit({ type: "started", rotationId, account, reason });
}

/**
 * The target that is being changed with this credential at this moment, if any: changing it now would pull the ladder
 * away. One that only waits for its next try reads the credential anew.
 */
async function userOfAdmin(session: Session): Promise<string | undefined> {
  const { ports, target } = session;
  for (const user of ports.targetsUsing(target.publish)) {
    if (await isChanging(session, user)) return user.id;
  }
  return undefined;
}

/** True as well when the row cannot be read: a newer version of Keyturn may be in the middle of a change. */
async function isChanging(session: Session, user: Target): Promise<boolean> {
  try {
    const record = (await session.ports.journal.read(user.id))?.record;
    const phase = record?.rotation?.phase;
    const mayChange = phase === "applying" || phase === "publishing" || phase === "checking";
    return (
      record !== undefined && mayChange && isClaimed(record, toInstant(session.ports.journal.now()))
    );
  } catch (error) {
    if (error instanceof UnreadableRowError) return true;
    throw error;
  }
}

/** Whatever wants the rotation, the request or the policy, wants it a little later. */
function postponed(record: TargetRecord, at: Instant, user: string): TargetRecord {
  const { request, nextDue } = record;
  const dueReason = `waits until ${user} is done with this credential`;
  const isDue = nextDue !== undefined && nextDue < at;
  return {
    ...(isDue ? dueAt(record, at, dueReason) : record),
    ...(request && { request: { ...request, notBefore: at } }),
  };
}

import { VaultUnavailableError } from "../core/errors.ts";
import { notify } from "../core/progress.ts";
import { afterLook, needsProof } from "../core/retirement.ts";
import { retryDelay } from "../core/retry.ts";
import type { Retirement, TargetRecord } from "../core/rotation.ts";
import { slotOf, withSlot } from "../core/slots.ts";
import { plus } from "../core/time.ts";
import type { Using } from "../rotators/rotator.ts";
import { adminCredential } from "./applying.ts";
import { takeOverDrift } from "./drift.ts";
import { failureOf, rethrowUnlessExpected } from "./failure.ts";
import { hasSessions, retireAccount } from "./reach.ts";
import type { Session } from "./session.ts";

/**
 * Makes the superseded secret of a pair useless, once its grace is over and, where the policy wants that proven,
 * nobody uses it any more. Never touches what consumers read.
 */
export async function retire(session: Session): Promise<void> {
  const { retirement } = session.record();
  if (!retirement) return;
  try {
    if (await mustStay(session, retirement)) {
      await session.commit(withoutRetirement(session.record()));
      return;
    }
    const using = await authorityToRetire(session);
    await session.hold();
    if (needsProof(session.record()) && !(await isProvenUnused(session, retirement, using))) return;
    await session.hold();
    await retireAccount(session, retirement.account, using);
  } catch (error) {
    rethrowUnlessExpected(error);
    await tryAgainLater(session, retirement, error);
    return;
  }
  await session.commit(retired(session, retirement));
  session.emit({
    type: "retired",
    rotationId: retirement.rotationId,
    account: retirement.account,
  });
}

/**
 * Whether the account is in use again, or nobody could ever give it a new secret. Looked up in the vault and not only
 * in the journal: somebody may have published the account by hand a moment ago.
 */
async function mustStay(session: Session, { account }: Retirement): Promise<boolean> {
  const { target } = session;
  const isKnown = target.slots.some((slot) => slot.account === account);
  if (!isKnown || target.authority.as === "self") return true;
  if ((await takeOverDrift(session)) === "unusable") {
    throw new VaultUnavailableError(
      `what consumers read in ${target.publish.name} is not usable, so nothing is retired`,
    );
  }
  return session.record().active === account;
}

/** Looks who uses the account. Unless that proves that nobody does, the journal says when to look again. */
async function isProvenUnused(
  session: Session,
  retirement: Retirement,
  using: Using,
): Promise<boolean> {
  const { account, rotationId } = retirement;
  const { retry } = session.target.policy;
  const isInUse = await hasSessions(session, account, using);
  const next = afterLook(retirement, isInUse, retry, session.now());
  if (next === "proven") return true;
  const record = { ...session.record(), retirement: next };
  const isNews = isInUse && next.proof?.seenInUse === retry.attempts;
  await session.commit(isNews ? tellInUse(session, record, next) : record);
  session.emit({
    type: isInUse ? "still-in-use" : "seen-unused",
    rotationId,
    account,
    nextAttemptAt: next.at,
  });
  return false;
}

/** Told once for each superseded secret; Keyturn goes on looking. */
function tellInUse(
  session: Session,
  record: TargetRecord,
  { account, rotationId, proof }: Retirement,
): TargetRecord {
  const message = `${account} is still in use, at ${proof?.seenInUse ?? 0} looks since its grace was over; it is retired once nobody uses it`;
  const data = { kind: "still-in-use", message, rotationId, account };
  return notify(record, "alarm", session.now(), data, `${rotationId}/still-in-use`);
}

async function authorityToRetire(session: Session): Promise<Using> {
  return session.target.authority.as === "identity"
    ? { as: "identity" }
    : { as: "admin", credential: await adminCredential(session) };
}

/** What was stored for the account stays known as `previous`, but no longer counts as its secret. */
function retired(session: Session, { account, rotationId }: Retirement): TargetRecord {
  const record = session.record();
  const { current, ...slot } = slotOf(record, account);
  const emptied = { ...slot, ...(current && { previous: current }) };
  const data = { account, rotationId };
  const done = { ...withoutRetirement(record), slots: withSlot(record.slots, emptied) };
  return notify(done, "credential.retired", session.now(), data);
}

function withoutRetirement(record: TargetRecord): TargetRecord {
  const { retirement: _, ...rest } = record;
  return rest;
}

async function tryAgainLater(
  session: Session,
  retirement: Retirement,
  error: unknown,
): Promise<void> {
  const failure = failureOf(session, error);
  const failures = retirement.failures + 1;
  const delay = retryDelay(session.target.policy.retry, failures, retirement.rotationId);
  const record: TargetRecord = {
    ...session.record(),
    lastFailure: failure,
    retirement: { ...retirement, failures, at: plus(failure.at, delay) },
  };
  // The superseded secret goes on working, which somebody may have asked us to prevent.
  const isNews = failures === session.target.policy.retry.attempts;
  const message = `the superseded secret of ${retirement.account} still works: ${failure.message}`;
  const data = { kind: "retirement", message, rotationId: retirement.rotationId };
  await session.commit(isNews ? notify(record, "alarm", failure.at, data) : record);
  session.emit({
    type: "attempt-failed",
    failure,
    rotationId: retirement.rotationId,
    account: retirement.account,
    detail: "retirement",
  });
}

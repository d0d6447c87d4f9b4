import { notify } from "../../core/lifecycle/notifications.ts";
import { afterLook, isRetirable, needsProof } from "../../core/lifecycle/retirement.ts";
import { retryDelay } from "../../core/lifecycle/retry.ts";
import type { Failure, Retirement, TargetRecord } from "../../core/record/rotation.ts";
import { findSlot, withSlot } from "../../core/record/slots.ts";
import { plus } from "../../core/time.ts";
import { hasSessions, retireAccount } from "../calls/reach.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import type { Authority } from "../looks/authority.ts";
import { readAdmin } from "../looks/credentials.ts";
import { syncPublished } from "../looks/drift.ts";
import { type Broken, checkPublished, describeBroken } from "../looks/look.ts";
import { recover } from "../looks/recover.ts";
import type { Session } from "../session.ts";

/**
 * Makes the superseded secret of a pair useless, once its grace is over and, where the policy wants that proven,
 * nobody uses it any more. Directly before it logs in with what consumers read: if that is refused, nothing is retired.
 */
export async function retire(session: Session): Promise<void> {
  const { retirement } = session.record();
  if (!retirement) return;
  try {
    const ended = await tryToRetire(session, retirement);
    if (!ended) return;
  } catch (error) {
    rethrowUnlessExpected(error);
    await tryAgainLater(session, retirement, toFailure(session, error));
    return;
  }
  session.stage(withRetired(session, retirement));
  session.emit({
    type: "retired",
    rotationId: retirement.rotationId,
    account: retirement.account,
  });
}

/** Whether the account was retired. Otherwise the journal says what comes next. */
async function tryToRetire(session: Session, retirement: Retirement): Promise<boolean> {
  if (await dropUnlessRetirable(session, retirement)) return false;
  const authority = await readAuthority(session);
  if (needsProof(session.record())) {
    // Somebody may have published the account by hand: then it is in use by right.
    await syncPublished(session);
    if (await dropUnlessRetirable(session, retirement)) return false;
    if (!(await lookForSessions(session, retirement, authority))) return false;
  }
  const published = await checkPublished(session);
  if (await dropUnlessRetirable(session, retirement)) return false;
  if (published.is !== "works") {
    await keepAndRecover(session, retirement, published);
    return false;
  }
  await session.hold();
  await retireAccount(session, retirement.account, authority, published.proof);
  return true;
}

async function dropUnlessRetirable(session: Session, retirement: Retirement): Promise<boolean> {
  if (isRetirable(session.record(), retirement, session.target)) return false;
  await session.commit(withoutRetirement(session.record()));
  return true;
}

/** What consumers read does not work, so the superseded account may be all that is left. */
async function keepAndRecover(
  session: Session,
  retirement: Retirement,
  published: Broken,
): Promise<void> {
  const message = `${describeBroken(session, published)}, so ${retirement.account} keeps its password`;
  const failure: Failure = { kind: "change-refused", message, at: session.now() };
  await recover(session, published, failure);
  if (await dropUnlessRetirable(session, retirement)) return;
  await tryAgainLater(session, retirement, failure);
}

/** Looks who uses the account. Unless that proves that nobody does, the journal says when to look again. */
async function lookForSessions(
  session: Session,
  retirement: Retirement,
  authority: Authority,
): Promise<boolean> {
  const { account, rotationId } = retirement;
  const { retry } = session.target.policy;
  await session.hold();
  const isInUse = await hasSessions(session, account, authority);
  const next = afterLook(retirement, isInUse, retry, session.now());
  if (next === "proven") return true;
  const record = { ...session.record(), retirement: next };
  const isNews = isInUse && next.proof?.seenInUse === retry.attempts;
  session.stage(isNews ? withUseReported(session, record, next) : record);
  session.emit({
    type: isInUse ? "still-in-use" : "seen-unused",
    rotationId,
    account,
    nextAttemptAt: next.at,
  });
  return false;
}

/** Reported once for each superseded secret; Keyturn goes on looking. */
function withUseReported(
  session: Session,
  record: TargetRecord,
  { account, rotationId, proof }: Retirement,
): TargetRecord {
  const message = `${account} is still in use, at ${proof?.seenInUse ?? 0} looks since its grace was over; it is retired once nobody uses it`;
  const data = { kind: "still-in-use", message, rotationId, account };
  return notify(record, {
    type: "alarm",
    at: session.now(),
    data,
    about: `${rotationId}/still-in-use`,
  });
}

async function readAuthority(session: Session): Promise<Authority> {
  if (session.target.authority.as === "identity") {
    return { using: { as: "identity" }, ref: undefined };
  }
  const { credential, ref } = await readAdmin(session);
  return { using: { as: "admin", credential }, ref };
}

/** What was stored for the account stays known as `previous`, but no longer counts as its secret. */
function withRetired(session: Session, { account, rotationId }: Retirement): TargetRecord {
  const record = session.record();
  const { current, ...slot } = findSlot(record, account);
  const emptied = { ...slot, ...(current && { previous: current }) };
  const data = { account, rotationId };
  const done = { ...withoutRetirement(record), slots: withSlot(record.slots, emptied) };
  return notify(done, { type: "credential.retired", at: session.now(), data });
}

function withoutRetirement(record: TargetRecord): TargetRecord {
  const { retirement: _, ...rest } = record;
  return rest;
}

async function tryAgainLater(
  session: Session,
  retirement: Retirement,
  failure: Failure,
): Promise<void> {
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
  await session.commit(isNews ? notify(record, { type: "alarm", at: failure.at, data }) : record);
  session.emit({
    type: "attempt-failed",
    failure,
    rotationId: retirement.rotationId,
    account: retirement.account,
    detail: "retirement",
  });
}

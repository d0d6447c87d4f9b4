import { notify } from "../../core/lifecycle/notifications.ts";
import { decideAfterLook, isRetirable, needsProof } from "../../core/lifecycle/retirement.ts";
import { retryDelay } from "../../core/lifecycle/retry.ts";
import {
  type Failure,
  keyturn,
  type Retirement,
  type TargetRecord,
} from "../../core/record/record.ts";
import { findSlot, toPrevious, withSecretIds, withSlot } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { plus } from "../../core/time.ts";
import { discardOthers, hasSessions, retireAccount } from "../calls/reach.ts";
import { readCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import type { Authority } from "../looks/authority.ts";
import type { StoredCredential } from "../looks/credentials.ts";
import { syncPublished } from "../looks/drift.ts";
import { type Broken, type Checked, checkPublished, describeBroken } from "../looks/look.ts";
import { readOtherAuthority } from "../looks/other-authority.ts";
import type { Proof } from "../looks/proof.ts";
import { recover } from "../looks/recover.ts";
import { announced, makeTimeLimit, requireSettled, UnsettledError } from "../looks/settled.ts";
import { requireUnchanged } from "../phases/minting.ts";
import type { TargetSession } from "../session.ts";

/**
 * Retires the superseded account of a pair once its grace is over and, with `retire: proof`, once no session uses it. Logs in with the
 * published secret directly before: if the target refuses it, nothing is retired.
 */
export async function retire(session: TargetSession): Promise<void> {
  const { retirement } = session.record();
  if (!retirement) return;
  try {
    const ended = await tryToRetire(session, retirement);
    if (!ended) return;
  } catch (error) {
    rethrowUnlessExpected(error);
    if (error instanceof UnsettledError) {
      await session.commit({ ...session.record(), retirement: { ...retirement, at: error.until } });
    } else {
      await tryAgainLater(session, retirement, toFailure(session, error));
    }
    return;
  }
  session.stage(withRetired(session, retirement));
  session.log({
    ...{ by: keyturn, action: "credential.retire", outcome: "succeeded" },
    rotations: [retirement.rotationId],
    detail: `account ${retirement.account}`,
  });
  session.emit({
    type: "retired",
    rotationId: retirement.rotationId,
    account: retirement.account,
  });
}

/** Returns whether the account was retired. If not, the journal contains the next step. */
async function tryToRetire(session: TargetSession, retirement: Retirement): Promise<boolean> {
  if (await dropUnlessRetirable(session, retirement)) return false;
  const other = await readOtherAuthority(session);
  if (other && needsProof(session.record())) {
    // An operator may have published the account by hand: then consumers use it, and it must stay.
    await syncPublished(session);
    if (await dropUnlessRetirable(session, retirement)) return false;
    if (!(await lookForSessions(session, retirement, other))) return false;
  }
  const published = await checkPublished(session);
  if (await dropUnlessRetirable(session, retirement)) return false;
  if (published.is !== "works") {
    await keepAndRecover(session, retirement, published);
    return false;
  }
  const authority = other ?? toSelf(published.live);
  await session.hold();
  const { live, proof } = published;
  const isMinted = session.target.origin === "system";
  if (retirement.accountStays === true) {
    const keep = live.credential;
    await (isMinted
      ? endMinted(session, keep, authority, proof)
      : discardOthers(session, { keep }, authority, proof));
  } else if (session.ports.rotator(session.target.type).findOwner) {
    await replaceKey(session, retirement, { published, authority });
  } else {
    await retireAccount(session, { account: retirement.account }, authority, proof);
  }
  return true;
}

/**
 * The retirement of a key replaces it by another one, so at most one such request may be under way. One whose answer was lost may have done
 * it already.
 */
async function replaceKey(
  session: TargetSession,
  { account }: Retirement,
  {
    published: { stored, proof },
    authority,
  }: {
    readonly published: Extract<Checked, { readonly is: "works" }>;
    readonly authority: Authority;
  },
): Promise<void> {
  const open = await requireSettled(session, account, authority);
  if (open.is === "created") return;
  await announced(session, account, async (isInTime) => {
    const current = await requireUnchanged(session, stored);
    const { current: ref } = findSlot(session.record(), account);
    const superseded = ref && (await readCredential(session, ref, [account]));
    const retired = {
      ...{ account, isInTime },
      ...(current && { publishedText: current.value }),
      ...(superseded && { superseded }),
    };
    await retireAccount(session, retired, authority, proof);
  });
}

/** Ends the secrets of the account that Keyturn knows, except the published one: others may belong to somebody else. */
async function endMinted(
  session: TargetSession,
  keep: Credential,
  authority: Authority,
  proof: Proof,
): Promise<void> {
  const { account } = keep;
  const { previous, secretIds = [] } = findSlot(session.record(), account);
  const superseded = previous && (await readCredential(session, previous, [account]));
  const isUnnamed = superseded !== undefined && superseded.secretId === undefined;
  const ended = {
    targetId: session.target.id,
    ids: secretIds.filter((id) => id !== keep.secretId),
    ...(isUnnamed && { superseded }),
  };
  const isInTime = makeTimeLimit(session, session.now());
  await discardOthers(session, { keep, ended, isInTime }, authority, proof);
  const record = session.record();
  const { secretIds: _, ...slot } = findSlot(record, account);
  session.stage({
    ...record,
    slots: withSlot(record.slots, withSecretIds(slot, [keep.secretId])),
  });
}

async function dropUnlessRetirable(
  session: TargetSession,
  retirement: Retirement,
): Promise<boolean> {
  if (isRetirable(session.record(), retirement, session.target)) return false;
  await session.commit(withoutRetirement(session.record()));
  return true;
}

/** Keeps the superseded account when the published secret does not work: no other working account may be left. */
async function keepAndRecover(
  session: TargetSession,
  retirement: Retirement,
  published: Broken,
): Promise<void> {
  const message = `${describeBroken(session, published)}; ${retirement.account} keeps its password`;
  const failure: Failure = { kind: "change-refused", message, at: session.now() };
  await recover(session, published, failure);
  if (await dropUnlessRetirable(session, retirement)) return;
  await tryAgainLater(session, retirement, failure);
}

/** Checks for sessions of the account. Unless the checks prove that it is unused, the journal contains the time of the next check. */
async function lookForSessions(
  session: TargetSession,
  retirement: Retirement,
  authority: Authority,
): Promise<boolean> {
  const { account, rotationId } = retirement;
  const { retry } = session.target.policy;
  await session.hold();
  const isInUse = await hasSessions(session, account, authority);
  const next = decideAfterLook(retirement, isInUse, retry, session.now());
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

/** Reports once for each superseded secret that it is still in use. Keyturn continues to check. */
function withUseReported(
  session: TargetSession,
  record: TargetRecord,
  { account, rotationId, proof }: Retirement,
): TargetRecord {
  const message =
    `Account ${account} still has sessions: ${proof?.seenInUse ?? 0} checks since the end of its grace found open sessions. ` +
    "Keyturn retires the account once it has no sessions.";
  const data = { kind: "still-in-use", message, rotationId, account };
  return notify(record, {
    type: "alarm",
    at: session.now(),
    data,
    about: `${rotationId}/still-in-use`,
  });
}

const toSelf = ({ credential, ref }: StoredCredential): Authority => ({
  using: { as: "self", credential },
  ref,
});

/** Keeps the location of the account's stored secret as `previous`; it no longer counts as the account's secret. */
function withRetired(
  session: TargetSession,
  { account, rotationId, accountStays }: Retirement,
): TargetRecord {
  const record = session.record();
  const data = { account, rotationId, ...(accountStays && { accountStays }) };
  const told = { type: "credential.retired", at: session.now(), data } as const;
  if (accountStays) return notify(withoutRetirement(record), told);
  const before = findSlot(record, account);
  const { current: _c, sameAs: _s, ...slot } = before;
  const emptied = { ...slot, ...toPrevious(before) };
  return notify({ ...withoutRetirement(record), slots: withSlot(record.slots, emptied) }, told);
}

function withoutRetirement(record: TargetRecord): TargetRecord {
  const { retirement: _, ...rest } = record;
  return rest;
}

async function tryAgainLater(
  session: TargetSession,
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
  // The superseded secret still works, and an operator may have requested the rotation to prevent that.
  const isNews = failures === session.target.policy.retry.attempts;
  const message = `The superseded secret of ${retirement.account} still works, because the retirement of the account failed: ${failure.message}`;
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

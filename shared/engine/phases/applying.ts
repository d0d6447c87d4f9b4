import {
  AuthorityRefusedError,
  NoLiveCredentialError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { isPaused } from "../../core/lifecycle/decide.ts";
import { describeFindings } from "../../core/looks/findings.ts";
import { findRefusal } from "../../core/looks/guesses.ts";
import { type Rotation, type TargetRecord } from "../../core/record/record.ts";
import { mayHaveChanged, withoutHold } from "../../core/record/rotation.ts";
import { abandon, chooseAccount, findSlot, promote, withSlot } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { isSameVersion, type VersionRef } from "../../core/target.ts";
import type { Applied } from "../../rotators/rotator.ts";
import { readAdmin } from "../calls/admin-credential.ts";
import { applyChange, type LogIn, logsIn } from "../calls/reach.ts";
import { takeRoomToPublish } from "../fleet/room.ts";
import { requireAllowed } from "../looks/allowed.ts";
import {
  findLiveCredential,
  findPending,
  readPending,
  stillLogsIn,
  type StoredCredential,
} from "../looks/credentials.ts";
import { syncPublished } from "../looks/drift.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { findOwnPublished } from "../looks/look.ts";
import { type Cleared, lookAgain, lookBeforeChange } from "../looks/preflight.ts";
import { issueProof } from "../looks/proof.ts";
import { requireNoneOpen } from "../looks/settled.ts";
import type { TargetSession } from "../session.ts";
import { findGivenLive, requireRightToApply } from "./given.ts";
import { getPropagation, isPropagatingNow } from "./propagation.ts";
import { requireRoom } from "./publication.ts";
import { setBackIfHalf } from "./set-back.ts";
import {
  type Advance,
  GoBackError,
  lostPending,
  NotYetPropagatedError,
  PausedError,
} from "./step.ts";

const notAcceptedYet =
  "the target accepted the change, but does not accept log-ins with the new secret yet";

/**
 * Sets the pending secret on the target, after checking the target first. If a change may have begun and the pending secret logs in, the
 * change was already made. Keyturn creates no other secret while it is unknown whether this one works.
 */
export async function applying(session: TargetSession, rotation: Rotation): Promise<Advance> {
  try {
    return await change(session, rotation);
  } catch (error) {
    throw await setBackIfHalf(session, rotation, error);
  }
}

async function change(session: TargetSession, rotation: Rotation): Promise<Advance> {
  await requireNoneOpen(session, rotation.account);
  if (rotation.changeBegan) {
    const live = await findPendingLive(session, rotation);
    if (live !== "not live") return live;
  } else if (rotation.given) {
    const live = await findGivenLive(session, rotation, rotation.given);
    if (live) return live;
  }
  requireRightToApply(session, rotation);
  const published = await leavePublishedAccount(session, rotation);
  if (published) return { to: "refreshing", learnt: { published } };
  await blockUnlessCurable(session, rotation);
  // If the account may already have the secret, consumers wait for it, so do not wait for room.
  if (!mayHaveChanged(rotation)) await takeRoomToPublish(session);
  const cleared = mayHaveChanged(rotation)
    ? await lookAgain(session, rotation)
    : await lookBeforeChange(session, rotation);
  if (cleared === "other turn") return { to: "staging" };
  const pending = await findPending(session, rotation);
  if (!pending) return handleLostPending(session, rotation);
  requireAllowed(cleared, pending.credential);
  if (cleared.current) {
    await requireRoom(session, rotation.id, pending.credential, cleared.current);
  }
  return changeAndProve(session, pending, cleared);
}

/** Finds out whether the target already has the pending secret. */
export async function findPendingLive(
  session: TargetSession,
  rotation: Rotation,
): Promise<Advance | "not live"> {
  const pending = await readPending(session, rotation);
  if (!pending) return handleLostPending(session, rotation);
  const isPropagating = isPropagatingNow(session, rotation.confirmedAt);
  if (await acceptsPending(session, { ...pending, isPropagating })) {
    issueProof(session, "pending");
    return { to: "publishing" };
  }
  if (isPropagating) throw new NotYetPropagatedError(notAcceptedYet);
  // The outcome of a change that another worker began is unknown: a later refusal proves nothing about that change.
  const record = session.record();
  if (record.rotation && rotation.outcomeInDoubt !== true) {
    await session.commit({ ...record, rotation: { ...record.rotation, outcomeInDoubt: true } });
  }
  return "not live";
}

/**
 * Whether the pending secret logs in. Where another authority makes the change, setting the same secret again costs no guess, so the
 * rotation does not wait for one. An account that changes itself has few guesses for many stored secrets, so a refused one is not tried
 * first again.
 */
async function acceptsPending(session: TargetSession, pending: LogIn): Promise<boolean> {
  const refusal = { account: pending.credential.account, version: pending.ref.version };
  const wasRefused = findRefusal(session.refusals(), refusal, session.now()) !== undefined;
  const isSelf = session.target.authority.as === "self";
  if (isSelf && wasRefused && pending.isPropagating !== true) return false;
  try {
    return await stillLogsIn(session, { ...pending, isSearch: true });
  } catch (error) {
    if (!(error instanceof GuessPauseError) || isSelf) throw error;
    return false;
  }
}

/**
 * Called when the account of a pair does not have the pending secret. If an operator changed the account by hand and published it, the
 * account is in use, and the other account must be rotated. If this rotation has already published the account, returns that version.
 */
async function leavePublishedAccount(
  session: TargetSession,
  rotation: Rotation,
): Promise<VersionRef | undefined> {
  const { target } = session;
  const isConfigured = target.slots.some((slot) => slot.account === rotation.account);
  // A rotation of an account that was removed from the configuration still continues to its end.
  if (!mayHaveChanged(rotation) || target.slots.length === 1 || !isConfigured) return undefined;
  await syncPublished(session);
  if (chooseAccount(target, session.record()) !== rotation.account) {
    await session.commit(withoutChange(session.record(), rotation));
    throw new GoBackError(
      "staging",
      `account ${rotation.account} was changed and published by hand; the rotation starts again with a new secret`,
    );
  }
  return findOwnPublished(session, rotation);
}

/**
 * The record without the change that the rotation began: somebody replaced it by hand. The pending version stays known, because the change
 * may still take effect late.
 */
function withoutChange(record: TargetRecord, rotation: Rotation): TargetRecord {
  const { pending, outcomeInDoubt: _o, confirmedAt: _c, ...rest } = record.rotation ?? rotation;
  const slot = findSlot(record, rotation.account);
  return {
    ...record,
    ...(pending && { slots: withSlot(record.slots, abandon(slot, pending)) }),
    rotation: { ...rest, changeBegan: false },
  };
}

async function changeAndProve(
  session: TargetSession,
  pending: StoredCredential,
  cleared: Cleared,
): Promise<Advance> {
  const { rotation: before } = session.record();
  if (!before) throw new RangeError(`target ${session.target.id} has no open rotation`);
  if (cleared.findings.length > 0) {
    session.emit({
      type: "looked",
      rotationId: before.id,
      account: before.account,
      detail: describeFindings(cleared.findings),
    });
  }
  const begun = await confirmClaim(session, before, cleared.live);
  await stopIfPaused(session, before);
  const { credential, kept } = await applyOrUndo(session, before, pending.credential, cleared);
  const confirmedAt = begun.confirmedAt ?? session.now();
  const rotation = { ...begun, confirmedAt, ...(kept !== undefined && { kept }) };
  const confirmed = { ...session.record(), rotation };
  // Where the target accepts a secret at once, the log-in is better evidence than this time.
  if (getPropagation(session) === 0) session.stage(confirmed);
  else await session.commit(confirmed);
  session.emit({ type: "applied", rotationId: begun.id, account: begun.account });
  // Counts from the first time that the target took the secret, so that setting it again does not make the wait endless.
  const isPropagating = isPropagatingNow(session, confirmedAt);
  if (await logsIn(session, { credential, ref: pending.ref, isPropagating })) {
    issueProof(session, "pending");
    return { to: "publishing" };
  }
  throw isPropagating
    ? new NotYetPropagatedError(notAcceptedYet)
    : new OutcomeUnknownError(
        "the target accepted the change, but refuses log-ins with the new secret",
      );
}

/**
 * Called when the target accepted the change but refuses the secret, and all attempts are used up. An authority that does not need the account's own
 * secret applies the same secret again. An account that changes itself needs a stored secret that logs in; otherwise the rotation is
 * blocked until a person decides.
 */
async function blockUnlessCurable(session: TargetSession, rotation: Rotation): Promise<void> {
  const { target } = session;
  const hasTriesLeft = rotation.failures + 1 < target.policy.retry.attempts;
  if (rotation.confirmedAt === undefined || hasTriesLeft || target.authority.as !== "self") return;
  try {
    await findLiveCredential(session, rotation);
  } catch (error) {
    if (!(error instanceof NoLiveCredentialError)) throw error;
    throw new NoLiveCredentialError(
      `target ${target.id} accepted a new secret for ${rotation.account}, but refuses log-ins with the new secret. ${error.message}`,
    );
  }
}

/** Records, before the change is sent, that the target may have the pending secret from now on. */
async function confirmClaim(
  session: TargetSession,
  rotation: Rotation,
  live: VersionRef | undefined,
): Promise<Rotation> {
  const record = session.record();
  const begun: Rotation = {
    ...withoutHold(rotation),
    changeBegan: true,
    // A worker that finds the change begun does not know how it ended.
    ...(rotation.changeBegan && { outcomeInDoubt: true }),
  };
  // The credential that has just logged in is the account's present one, whichever candidate it was.
  const slot = findSlot(record, rotation.account);
  const slots = live
    ? withSlot(record.slots, promote(slot, live, slot.changedAt ?? session.now()))
    : record.slots;
  await session.commit({ ...record, slots, rotation: begun });
  return begun;
}

/**
 * A person may have paused the target since the rotation was last read; the answer was that the rotation waits. Nothing was sent yet,
 * so the journal no longer records that a change began.
 */
async function stopIfPaused(session: TargetSession, before: Rotation): Promise<void> {
  if (!isPaused(session.record(), before, session.now())) return;
  await session.commit({ ...session.record(), rotation: withoutHold(before) });
  throw new PausedError("the target was paused before the change was sent");
}

/**
 * Makes the change. An authority that the target refuses has changed nothing: its own secret may have been rotated since the check,
 * so Keyturn reads it again and tries once more. After a second refusal, the journal no longer records that a change began.
 */
async function applyOrUndo(
  session: TargetSession,
  before: Rotation,
  next: Credential,
  cleared: Cleared,
): Promise<Applied> {
  const { using, usingRef, proof, keep, keepInDoubt, current } = cleared;
  const isKey = session.ports.rotator(session.target.type).findOwner !== undefined;
  const change = {
    next,
    ...(keep && { keep }),
    ...(keepInDoubt && { keepInDoubt }),
    ...(isKey && typeof current === "object" && { publishedText: current.value }),
  };
  try {
    return await applyChange(session, change, { using, ref: usingRef }, proof);
  } catch (error) {
    if (!(error instanceof AuthorityRefusedError)) throw error;
    const fresh = using.as === "admin" ? await readAdmin(session) : undefined;
    if (fresh && !isSameVersion(fresh.ref, usingRef)) {
      const again = { as: "admin", credential: fresh.credential } as const;
      return applyOrUndo(session, before, next, { ...cleared, using: again, usingRef: fresh.ref });
    }
    await session.commit({ ...session.record(), rotation: withoutHold(before) });
    throw new TargetUnavailableError(`${error.message}; nothing was changed`);
  }
}

/**
 * Called when the pending version cannot be read: somebody deleted or disabled it, or Keyturn cleaned it up. If it is published and
 * works, the rotation continues without it. Otherwise Keyturn may create another secret only if the account can still be changed: with
 * rights other than its own, or with an older secret that still logs in.
 */
export async function handleLostPending(
  session: TargetSession,
  rotation: Rotation,
): Promise<Advance> {
  const published = await findOwnPublished(session, rotation);
  if (published) return { to: "refreshing", learnt: { published } };
  const version = rotation.pending?.version ?? "";
  if (session.target.authority.as === "self" && mayHaveChanged(rotation)) {
    try {
      await findLiveCredential(session, rotation);
    } catch (error) {
      if (!(error instanceof NoLiveCredentialError)) throw error;
      const { name } = rotation.pending ?? { name: "the pending secret" };
      throw new NoLiveCredentialError(
        `Version ${version} of ${name}, which ${rotation.account} may have, cannot be read. Enable or recover the version, ` +
          `and request a rotation. ${error.message}`,
      );
    }
  }
  throw lostPending(rotation);
}

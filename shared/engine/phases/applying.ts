import {
  AuthorityRefusedError,
  NoLiveCredentialError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { findRefusal } from "../../core/lifecycle/guesses.ts";
import { describeFindings } from "../../core/lifecycle/preflight.ts";
import { mayHaveChanged, type Rotation, withoutHold } from "../../core/record/rotation.ts";
import { accountToChange, findSlot, promote, withSlot } from "../../core/record/slots.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { sameVersion, type VersionRef } from "../../core/target.ts";
import { between, type Instant } from "../../core/time.ts";
import { applyChange, type LogIn, logsIn } from "../calls/reach.ts";
import { takeRoomToPublish } from "../fleet/room.ts";
import {
  findLiveCredential,
  readAdmin,
  readPending,
  stillLogsIn,
  type StoredCredential,
} from "../looks/credentials.ts";
import { syncPublished } from "../looks/drift.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { findOwnPublished } from "../looks/look.ts";
import { type Cleared, lookAgain, lookBeforeChange } from "../looks/preflight.ts";
import { issueProof } from "../looks/proof.ts";
import type { Session } from "../session.ts";
import { requireRoom } from "./publication.ts";
import { type Advance, GoBackError, NotYetPropagatedError } from "./step.ts";

const notAcceptedYet = "the target took the new secret and does not accept it yet";

/**
 * Gives the target the pending secret. Looks before it acts. If a change may have begun and the pending secret logs in, the
 * work was done already. No other secret is made while nobody knows whether this one is live.
 */
export async function applying(session: Session, rotation: Rotation): Promise<Advance> {
  if (rotation.changeBegan) {
    const live = await findPendingLive(session, rotation);
    if (live !== "not live") return live;
  }
  const published = await leavePublishedAccount(session, rotation);
  if (published) return { to: "refreshing", learnt: { published } };
  await blockUnlessCurable(session, rotation);
  // Where the account may have the secret already, consumers wait for it.
  if (!mayHaveChanged(rotation)) await takeRoomToPublish(session);
  const cleared = mayHaveChanged(rotation)
    ? await lookAgain(session, rotation)
    : await lookBeforeChange(session, rotation);
  if (cleared === "other turn") return { to: "staging" };
  // Read directly before it is given to the target: somebody may have disabled it meanwhile.
  const pending = await readPending(session, rotation);
  if (!pending) return pendingLost(session, rotation);
  if (cleared.current) {
    await requireRoom(session, rotation.id, pending.credential, cleared.current);
  }
  return changeAndProve(session, pending, cleared);
}

/** Whether the target has the pending secret already: then the work was done before. */
async function findPendingLive(
  session: Session,
  rotation: Rotation,
): Promise<Advance | "not live"> {
  const pending = await readPending(session, rotation);
  if (!pending) return pendingLost(session, rotation);
  const isPropagating = isPropagatingNow(session, rotation.confirmedAt);
  if (await acceptsPending(session, { ...pending, isPropagating })) {
    issueProof(session, "pending");
    return { to: "publishing" };
  }
  if (isPropagating) throw new NotYetPropagatedError(notAcceptedYet);
  // Nobody knows how the change ended that another worker began: a refusal from here on says nothing about that one.
  const record = session.record();
  if (record.rotation && rotation.outcomeInDoubt !== true) {
    await session.commit({ ...record, rotation: { ...record.rotation, outcomeInDoubt: true } });
  }
  return "not live";
}

/**
 * Where another authority makes the change, giving the same secret again takes no guess, so it does not wait for one. An account
 * that changes itself has few guesses for many stored secrets: one that was refused is not asked first again.
 */
async function acceptsPending(session: Session, pending: LogIn): Promise<boolean> {
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
 * The account of a pair does not have the pending secret. If somebody gave it another one by hand and published that, it is in use,
 * and it is the other account's turn. If this rotation has published it already, it is in use as well: returns that version.
 */
async function leavePublishedAccount(
  session: Session,
  rotation: Rotation,
): Promise<VersionRef | undefined> {
  const { target } = session;
  const isConfigured = target.slots.some((slot) => slot.account === rotation.account);
  // One that left the configuration is seen through to the end.
  if (!mayHaveChanged(rotation) || target.slots.length === 1 || !isConfigured) return undefined;
  await syncPublished(session);
  if (accountToChange(target, session.record()) !== rotation.account) {
    throw new GoBackError("staging", `somebody changed and published ${rotation.account} by hand`);
  }
  return findOwnPublished(session, rotation);
}

async function changeAndProve(
  session: Session,
  pending: StoredCredential,
  cleared: Cleared,
): Promise<Advance> {
  const { rotation: before } = session.record();
  if (!before) throw new RangeError(`${session.target.id} has no open rotation`);
  if (cleared.findings.length > 0) {
    session.emit({
      type: "looked",
      rotationId: before.id,
      account: before.account,
      detail: describeFindings(cleared.findings),
    });
  }
  const begun = await confirmClaim(session, before, cleared.live);
  const applied = await applyOrUndo(session, before, pending.credential, cleared);
  const confirmedAt = begun.confirmedAt ?? session.now();
  const confirmed = { ...session.record(), rotation: { ...begun, confirmedAt } };
  // Where the target accepts a secret at once, a log-in tells more than this moment.
  if (getPropagation(session) === 0) session.stage(confirmed);
  else await session.commit(confirmed);
  session.emit({ type: "applied", rotationId: begun.id, account: begun.account });
  const isPropagating = isPropagatingNow(session, confirmedAt);
  if (await logsIn(session, { credential: applied, ref: pending.ref, isPropagating })) {
    issueProof(session, "pending");
    return { to: "publishing" };
  }
  throw isPropagating
    ? new NotYetPropagatedError(notAcceptedYet)
    : new OutcomeUnknownError("the target took the new secret and then refused it");
}

/** Counted from the first time that the target took the secret: giving it again must not make the wait endless. */
function isPropagatingNow(session: Session, confirmedAt: Instant | undefined): boolean {
  if (confirmedAt === undefined) return false;
  const waited = between(confirmedAt, session.now());
  return waited >= 0 && waited < getPropagation(session);
}

/** Milliseconds during which the target may refuse a secret that it took. */
function getPropagation({ ports, target }: Session): number {
  return ports.rotator(target.type).capabilities.propagation;
}

/**
 * The target took the secret and refuses it, and all tries are used up. Whoever can change it without its own secret applies the same
 * one again. An account that changes itself needs a stored secret that logs in, or a person must decide.
 */
async function blockUnlessCurable(session: Session, rotation: Rotation): Promise<void> {
  const { target } = session;
  const hasTriesLeft = rotation.failures + 1 < target.policy.retry.attempts;
  if (rotation.confirmedAt === undefined || hasTriesLeft || target.authority.as !== "self") return;
  try {
    await findLiveCredential(session, rotation);
  } catch (error) {
    if (!(error instanceof NoLiveCredentialError)) throw error;
    throw new NoLiveCredentialError(
      `${target.id} took a new secret for ${rotation.account} and refuses it. ${error.message}`,
    );
  }
}

/** Written before the change is sent: from here on the target may have the pending secret. */
async function confirmClaim(
  session: Session,
  rotation: Rotation,
  live: VersionRef | undefined,
): Promise<Rotation> {
  const record = session.record();
  const begun: Rotation = {
    ...withoutHold(rotation),
    changeBegan: true,
    // Whoever finds it begun has not heard how the change ended.
    ...(rotation.changeBegan && { outcomeInDoubt: true }),
  };
  // What has just logged in is what the account has, wherever among the candidates it was found.
  const slot = findSlot(record, rotation.account);
  const slots = live
    ? withSlot(record.slots, promote(slot, live, slot.changedAt ?? session.now()))
    : record.slots;
  await session.commit({ ...record, slots, rotation: begun });
  return begun;
}

/**
 * Makes the change. An authority that is refused has sent nothing: its own secret may have been rotated since it was
 * examined, so it is read again and tried once more; after that the journal forgets that a change began.
 */
async function applyOrUndo(
  session: Session,
  before: Rotation,
  next: Credential,
  cleared: Cleared,
): Promise<Credential> {
  const { using, usingRef, proof } = cleared;
  try {
    return await applyChange(session, next, { using, ref: usingRef }, proof);
  } catch (error) {
    if (!(error instanceof AuthorityRefusedError)) throw error;
    const fresh = using.as === "admin" ? await readAdmin(session) : undefined;
    if (fresh && !sameVersion(fresh.ref, usingRef)) {
      const again = { as: "admin", credential: fresh.credential } as const;
      return applyOrUndo(session, before, next, { ...cleared, using: again, usingRef: fresh.ref });
    }
    await session.commit({ ...session.record(), rotation: withoutHold(before) });
    throw new TargetUnavailableError(`${error.message}; nothing was changed`);
  }
}

/**
 * Somebody deleted or disabled the pending version, or it was cleaned away. If it is published and works, it is not needed.
 * Otherwise another secret may be made only if the account can be given one all the same: with other rights than its own,
 * or with an older secret that still logs in.
 */
export async function pendingLost(session: Session, rotation: Rotation): Promise<Advance> {
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
        `Version ${version} of ${name}, which ${rotation.account} may have, cannot be read. Enable or recover it, ` +
          `and request a rotation. ${error.message}`,
      );
    }
  }
  throw new GoBackError("staging", `the pending version ${version} cannot be read any more`);
}

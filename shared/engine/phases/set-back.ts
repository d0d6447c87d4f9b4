import {
  ChangeRefusedError,
  isKnownError,
  type KnownError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import type { Rotation } from "../../core/record/record.ts";
import { findSlot } from "../../core/record/slots.ts";
import { hasGrace, isSameVersion } from "../../core/target.ts";
import type { ServerReport } from "../../rotators/rotator.ts";
import { setBackAccount } from "../calls/reach.ts";
import { readCurrent, toCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected } from "../failure.ts";
import type { Authority } from "../looks/authority.ts";
import { readPending, recallAdmin, type StoredCredential } from "../looks/credentials.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { toIdentity } from "../looks/identity.ts";
import { issueProof } from "../looks/proof.ts";
import type { TargetSession } from "../session.ts";
import { GoBackError, NotYetPropagatedError } from "./step.ts";

/**
 * Called when a try to change the account has failed. On a system of several servers, some may have the new secret, while consumers read
 * the published one until all have it. Sets the published secret again wherever it is refused, and returns the error of the try: with the
 * answers of all servers, if they were asked.
 */
export async function setBackIfHalf(session: TargetSession, error: unknown): Promise<unknown> {
  const { rotation } = session.record();
  if (!rotation?.changeBegan || !isOfTarget(error) || !losesPublished(session)) return error;
  try {
    const reports = await setBack(session, rotation);
    return reports.length === 0 ? error : judge(error, reports);
  } catch (failure) {
    rethrowUnlessExpected(failure);
    return error;
  }
}

type TargetError = Extract<
  KnownError,
  TargetUnavailableError | ChangeRefusedError | OutcomeUnknownError
>;

/** Whether the try ended with an answer of the target, or without one. Other failures only mean a wait. */
function isOfTarget(error: unknown): error is TargetError {
  if (error instanceof GoBackError || error instanceof NotYetPropagatedError) return false;
  if (!isKnownError(error) || error instanceof GuessPauseError) return false;
  return ["target-unavailable", "change-refused", "outcome-unknown"].includes(error.kind);
}

/** Whether a change takes the published secret away, and another authority can set it again. */
function losesPublished({ ports, target }: TargetSession): boolean {
  const canSetBack = ports.rotator(target.type).setBack !== undefined;
  return canSetBack && !hasGrace(target) && target.authority.as !== "self";
}

async function setBack(
  session: TargetSession,
  rotation: Rotation,
): Promise<readonly ServerReport[]> {
  const next = await readPending(session, rotation);
  const earlier = await readEarlier(session, rotation);
  if (!next || !earlier) return [];
  const proof = issueProof(session, "authority");
  // A server may take the new secret late, so it stays a candidate even if this rotation fails.
  session.stage({ ...session.record(), rotation: { ...rotation, outcomeInDoubt: true } });
  const secrets = { earlier: earlier.credential, next: next.credential };
  return setBackAccount(session, secrets, await findAuthority(session), proof);
}

/** The published secret, unless somebody else has written it: then nobody knows whether it was ever valid. */
async function readEarlier(
  session: TargetSession,
  { account }: Rotation,
): Promise<StoredCredential | undefined> {
  const { publish } = session.target;
  const record = session.record();
  const stored = await readCurrent(session, publish);
  if (typeof stored === "string") return undefined;
  const known = [record.published, findSlot(record, account).current];
  if (!known.some((ref) => isSameVersion(stored.ref, ref))) return undefined;
  const credential = toCredential(session, stored, [account]);
  return credential && { credential, ref: stored.ref };
}

async function findAuthority(session: TargetSession): Promise<Authority> {
  if (session.target.authority.as !== "admin") {
    return { using: toIdentity(session), ref: undefined };
  }
  const { credential, ref } = await recallAdmin(session);
  return { using: { as: "admin", credential }, ref };
}

/** The error of the try with the state of every server. Only where all accept the earlier secret again, a refusal ends the rotation. */
function judge(error: TargetError, reports: readonly ServerReport[]): Error {
  const list = reports.map(({ server, state }) => `${server} ${state}`).join("; ");
  const sentence = `${error.message}. After Keyturn set the earlier secret again: ${list}`;
  if (!reports.every(({ state }) => state === "accepts the earlier secret")) {
    return new OutcomeUnknownError(sentence);
  }
  return isRefusal(error) ? new ChangeRefusedError(sentence) : new TargetUnavailableError(sentence);
}

/** Whether a server refused the change. The error for all servers has the failure of one as its cause. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof ChangeRefusedError || isRefusal(error.cause);
}

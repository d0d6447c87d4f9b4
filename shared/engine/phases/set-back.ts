import {
  ChangeRefusedError,
  isKnownError,
  type KnownError,
  OutcomeUnknownError,
  TargetUnavailableError,
  VaultUnavailableError,
} from "../../core/errors.ts";
import { findRefusal, guessWindowMs } from "../../core/looks/guesses.ts";
import type { Rotation, TargetRecord } from "../../core/record/record.ts";
import { findSlot } from "../../core/record/slots.ts";
import { hasGrace, isSameVersion } from "../../core/target.ts";
import { findEarliest, plus } from "../../core/time.ts";
import type { ServerReport } from "../../rotators/rotator.ts";
import { setBackAccount } from "../calls/reach.ts";
import { readCurrent, toCredential } from "../calls/stored.ts";
import { rethrowUnlessExpected, toFailure } from "../failure.ts";
import { readPending, type StoredCredential } from "../looks/credentials.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { readOtherAuthority } from "../looks/other-authority.ts";
import { issueProof } from "../looks/proof.ts";
import type { TargetSession } from "../session.ts";
import { GoBackError, NotYetPropagatedError } from "./step.ts";

/**
 * Called when a try to change the account has failed. On a system of several servers, some may have the new secret, while consumers read
 * the published one until all have it. Sets the published secret again wherever it is refused, and returns the error of the try: with the
 * answers of all servers, or why they were not asked. `before`: the rotation when the try began.
 */
export async function setBackIfHalf(
  session: TargetSession,
  before: Rotation,
  error: unknown,
): Promise<unknown> {
  const { rotation } = session.record();
  if (!rotation?.changeBegan || !isOfTarget(error) || !isTakenBack(session, rotation)) return error;
  if (!mayBeHalf(before, rotation, error)) return error;
  // A server may take the new secret late, so it stays a candidate even if this rotation fails.
  session.stage({ ...session.record(), rotation: { ...rotation, outcomeInDoubt: true } });
  try {
    const { reports, why } = await setBack(session, rotation);
    if (why !== undefined) return withSentence(error, `${notSet}: ${why}`);
    return judge(error, reports);
  } catch (failure) {
    rethrowUnlessExpected(failure);
    const why = `${notSet}: ${toFailure(session, failure).message}`;
    // Servers that differ are set back later, so the rotation goes on: soon, if only the vault is away.
    return failure instanceof VaultUnavailableError
      ? new VaultUnavailableError(`${error.message}. ${why}`)
      : withSentence(toUnknown(error), why);
  }
}

const notSet = "Keyturn has not set the earlier secret again";

/** Whether a failed try may have left servers that differ, and another authority can set the published secret again. */
export function canSetBack(session: TargetSession, rotation: Rotation, error: unknown): boolean {
  return isOfTarget(error) && isTakenBack(session, rotation);
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

/**
 * Whether a change takes the published secret away from one server after the other, and another authority can set it again. Not if
 * somebody else set the new one: an import that the target had already, or that Keyturn must not set.
 */
function isTakenBack({ ports, target }: TargetSession, { given }: Rotation): boolean {
  const isSeveral = ports.rotator(target.type).hasSeveralServers?.(target.options) === true;
  const isOwn = given === undefined || (given.mayApply && given.wasAccepted !== true);
  return isSeveral && isOwn && !hasGrace(target) && target.authority.as !== "self";
}

/** A refusal of the first change, or one that could not reach the servers, has certainly changed nothing. */
function mayBeHalf(before: Rotation, now: Rotation, error: TargetError): boolean {
  const isDone = now.confirmedAt !== undefined;
  return before.changeBegan || isDone || error instanceof OutcomeUnknownError;
}

/** The answers of the servers. `why`: the servers were not asked, and will not be. */
interface SetBackResult {
  readonly reports: readonly ServerReport[];
  readonly why?: string;
}

async function setBack(session: TargetSession, rotation: Rotation): Promise<SetBackResult> {
  const next = await readPending(session, rotation);
  if (!next) return { reports: [], why: "the pending version cannot be read" };
  const earlier = await readEarlier(session, rotation);
  if (typeof earlier === "string") return { reports: [], why: earlier };
  requireGuess(session, [next, earlier]);
  const proof = issueProof(session, "authority");
  // The target has not accepted for good what is taken back now.
  const { confirmedAt: _, ...undone } = rotation;
  session.stage({ ...session.record(), rotation: { ...undone, outcomeInDoubt: true } });
  const secrets = { earlier: earlier.credential, next: next.credential };
  const authority = await readOtherAuthority(session);
  if (!authority) return { reports: [], why: "the account changes itself" };
  const reports = await setBackAccount(session, secrets, authority, proof);
  await countGuesses(session, reports, [next, earlier]);
  return { reports };
}

/** A server that accepts neither secret refuses two log-ins, so it is left alone until these no longer count as guesses. */
function requireGuess(session: TargetSession, tried: readonly StoredCredential[]): void {
  const now = session.now();
  const ends = tried.map(({ credential: { account }, ref: { version } }) => {
    const at = findRefusal(session.refusals(), { account, version }, now);
    return at === undefined ? now : plus(at, guessWindowMs);
  });
  const until = findEarliest(...ends);
  const [one] = tried;
  if (one && until !== undefined && until > now) {
    throw new GuessPauseError(one.credential.account, until);
  }
}

/** Every server that answered has let the account in, unless it accepts neither secret. */
async function countGuesses(
  session: TargetSession,
  reports: readonly ServerReport[],
  tried: readonly StoredCredential[],
): Promise<void> {
  const states = new Set(reports.map(({ state }) => state));
  if (states.has("accepts neither secret, so the account is locked out there")) {
    for (const { credential, ref } of tried) await session.noteRefusal(credential, ref.version);
  } else if (
    states.has("accepts the earlier secret") ||
    states.has("accepts only the new secret")
  ) {
    for (const { credential } of tried) session.noteAccepted(credential.account);
  }
}

/** The published secret, or why it must not be set again. */
async function readEarlier(
  session: TargetSession,
  { account }: Rotation,
): Promise<StoredCredential | string> {
  const { publish } = session.target;
  const record = session.record();
  const stored = await readCurrent(session, publish);
  if (typeof stored === "string") return `the published secret ${publish.name} is ${stored}`;
  const known = [record.published, findSlot(record, account).current];
  const isKnown = known.some((ref) => isSameVersion(stored.ref, ref));
  const credential = toCredential(session, stored, [account]);
  // Nobody knows whether a version that somebody else wrote was ever valid.
  if (!isKnown || !credential) return `the published secret ${publish.name} is another one`;
  if (wasTakenAway(record, stored.ref.version)) {
    return `somebody has seen the published secret ${publish.name}, and the target refused it before`;
  }
  return { credential, ref: stored.ref };
}

/** A secret that somebody has seen and that was refused before the change was probably changed by hand because of that. */
function wasTakenAway({ exposedVersions = [], refusedSince }: TargetRecord, version: string) {
  return refusedSince !== undefined && exposedVersions.includes(version);
}

/** The error of the try with the state of every server. Only where all accept the earlier secret again, a refusal ends the rotation. */
function judge(error: TargetError, reports: readonly ServerReport[]): Error {
  const list = reports.map(({ server, state }) => `${server} ${state}`).join("; ");
  const sentence = `After Keyturn set the earlier secret again: ${list}`;
  const isBack =
    reports.length > 0 && reports.every(({ state }) => state === "accepts the earlier secret");
  const { message } = error;
  return withSentence(isBack ? toKnown(error) : new OutcomeUnknownError(message), sentence);
}

/** The error of a try that left nothing changed. */
function toKnown(error: TargetError): TargetError {
  const { message } = error;
  return isRefusal(error) ? new ChangeRefusedError(message) : new TargetUnavailableError(message);
}

/** The error of a try that may have left servers that differ: it ends no rotation. */
function toUnknown(error: TargetError): TargetError {
  return error instanceof ChangeRefusedError ? new OutcomeUnknownError(error.message) : error;
}

function withSentence(error: TargetError, sentence: string): TargetError {
  const message = `${error.message}. ${sentence}`;
  if (error instanceof ChangeRefusedError) return new ChangeRefusedError(message);
  return error instanceof OutcomeUnknownError
    ? new OutcomeUnknownError(message)
    : new TargetUnavailableError(message);
}

/** Whether a server refused the change. The error for all servers has the failure of one as its cause. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error instanceof ChangeRefusedError || isRefusal(error.cause);
}

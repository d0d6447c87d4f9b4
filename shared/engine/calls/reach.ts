import { deadlines } from "../../core/deadlines.ts";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { findGuessPause, maxGuesses, maxSearchGuesses } from "../../core/looks/guesses.ts";
import { redact } from "../../core/secrets/redact.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { VersionRef } from "../../core/target.ts";
import type {
  Applied,
  Change,
  Discard,
  Examination,
  Examine,
  Retire,
  Rotator,
  ServerReport,
  SetBack,
} from "../../rotators/rotator.ts";
import { asAuthority, type Authority } from "../looks/authority.ts";
import { GuessPauseError } from "../looks/guess-pause.ts";
import { type Proof, requireProof } from "../looks/proof.ts";
import type { TargetSession } from "../session.ts";
import { recallAdmin } from "./admin-credential.ts";
import { callTarget } from "./external-call.ts";

/**
 * Every call to a target goes through this file. It sets a deadline, and wraps unknown errors in the class that fits what is known now.
 */

/** A log-in to try, and how a refusal of it counts. */
export interface LogIn {
  readonly credential: Credential;
  /** Where the secret is stored. */
  readonly ref: VersionRef;
  readonly as?: "admin";
  /** The target may not accept this secret yet, so a refusal does not count as a wrong guess. */
  readonly isPropagating?: boolean;
  /** This secret is one of several that the target might accept. */
  readonly isSearch?: boolean;
  /** If the target accepts this secret, the account uses it to change itself. */
  readonly isAuthority?: boolean;
}

/** Whether the target accepts a stored secret. Throws GuessPauseError when it has refused the account too often. */
export async function logsIn(
  session: TargetSession,
  { credential, ref, as, isPropagating = false, isSearch = false, isAuthority = false }: LogIn,
): Promise<boolean> {
  const { ports, target } = session;
  const { account } = credential;
  const maxTries = isSearch ? maxSearchGuesses : maxGuesses;
  const pause = findGuessPause(session.refusals(), account, session.now(), maxTries);
  if (pause !== undefined && !isPropagating) throw new GuessPauseError(account, pause);
  await session.hold();
  const rotator = ports.rotator(target.type);
  const isSigned = rotator.capabilities.verifiesWithAdmin === true && as === undefined;
  const admin = isSigned ? (await recallAdmin(session)).credential : undefined;
  const signal = checkDeadline(session);
  const call = toCall(session, isAuthority ? "stays" : "none");
  const verdict = await callTarget(
    session,
    TargetUnavailableError,
    "the log-in failed with an unexpected error",
    () =>
      rotator.verify({ ...call, credential, ...(as && { as }), ...(admin && { admin }) }, signal),
  );
  if (verdict === "accepted") session.noteAccepted(account);
  else if (!isPropagating) await session.noteRefusal(credential, ref.version);
  return verdict === "accepted";
}

/** An account to examine. `isLast`: no change follows, so the log-in of the authority ends. */
export type Examined = Pick<Examine<unknown>, "account" | "isProven" | "twin" | "isLast">;

/** Checks on the target what prevents the account from logging in, and whether the authority may change the account. */
export async function examineAccount(
  session: TargetSession,
  authority: Authority,
  { isLast = false, ...examine }: Examined,
): Promise<Examination | "rejected"> {
  const { ports, target } = session;
  const rotator = ports.rotator(target.type);
  if (!rotator.examine) return tryAuthority(session, authority);
  const { using } = authority;
  await session.hold();
  const signal = checkDeadline(session);
  const what = "the check of the account failed with an unexpected error";
  return asAuthority(session, authority, async () =>
    callTarget(session, TargetUnavailableError, what, async () => {
      const call = toCall(session, isLast ? "ends" : "stays");
      return (await rotator.examine?.({ ...call, ...examine, using }, signal)) ?? unasked;
    }),
  );
}

/** What Keyturn assumes about an account on a system that cannot examine accounts. */
const unasked: Examination = { obstacles: [], right: { is: "likely" } };

async function tryAuthority(
  session: TargetSession,
  { using, ref }: Authority,
): Promise<Examination | "rejected"> {
  // An account that changes itself has just logged in.
  if (using.as !== "admin" || !ref) return unasked;
  const accepted = await logsIn(session, { credential: using.credential, ref, as: "admin" });
  return accepted ? unasked : "rejected";
}

/** Options of every call to the target. `logIn`: whether that of the authority outlives its call. */
export function toCall(session: TargetSession, logIn: "none" | "stays" | "ends") {
  const { id: targetId, options, policy } = session.target;
  const { connect } = policy.timeouts ?? {};
  const { rotation, retirement } = session.record();
  const rotationId = rotation?.id ?? retirement?.rotationId;
  return {
    ...{ options, targetId },
    ...(rotationId !== undefined && { rotationId }),
    note: (sentence: string) => {
      session.emit({ type: "looked", detail: redact(sentence, session.secrets()) });
    },
    ...(connect !== undefined && { connectWithin: connect }),
    ...(logIn !== "none" && { mayStay: true }),
    ...(logIn === "ends" && { isLast: true }),
  };
}

export function checkDeadline({ ports, target }: TargetSession): AbortSignal {
  const { verify = deadlines.verify } = target.policy.timeouts ?? {};
  return ports.deadline(Math.min(verify, deadlines.verify));
}

/** Replaces the account's old password. `proof` shows which secret works instead. */
export function applyChange(
  session: TargetSession,
  change: Pick<Change<unknown>, "next" | "keep" | "keepInDoubt" | "publishedText">,
  authority: Authority,
  proof: Proof,
): Promise<Applied> {
  const what = "the result of the change is unknown";
  return sendChange(session, { authority, proof, what }, (rotator, call, signal) => {
    if (rotator.apply) return rotator.apply({ ...call, ...change }, signal);
    throw new ChangeRefusedError(`nobody can choose the secrets of ${rotator.type}`);
  });
}

/** Sets the earlier secret again at servers that have lost it. `proof` shows that it is stored. Returns what each server accepts then. */
export function setBackAccount(
  session: TargetSession,
  secrets: Pick<SetBack<unknown>, "earlier" | "next">,
  authority: Authority,
  proof: Proof,
): Promise<readonly ServerReport[]> {
  const what = "the result of setting the earlier secret again is unknown";
  return sendChange(
    session,
    { authority, proof, what, mayOmitLogIn: true },
    async (rotator, call, signal) =>
      (await rotator.setBack?.({ ...call, ...secrets }, signal)) ?? [],
  );
}

/** A call that changes the target. */
interface Sending {
  readonly authority: Authority;
  /** Shows which secret works afterwards. */
  readonly proof: Proof;
  /** What an unknown error means. */
  readonly what: string;
  /** The call logs in as the authority only where something must be changed. */
  readonly mayOmitLogIn?: boolean;
}

export async function sendChange<Result>(
  session: TargetSession,
  { authority, proof, what, mayOmitLogIn }: Sending,
  send: (
    rotator: Rotator,
    call: ReturnType<typeof toCall> & Pick<Authority, "using">,
    signal: AbortSignal,
  ) => Promise<Result>,
): Promise<Result> {
  const { ports, target } = session;
  const { using } = authority;
  await session.flush();
  requireProof(session, proof);
  const signal = changeDeadline(session);
  // The account's own connection must not use up a connection that consumers need to log in with the new secret.
  const call = toCall(session, using.as === "self" ? "ends" : "stays");
  function change(): Promise<Result> {
    session.noteChange();
    // An unknown error may have come after the change was sent, so treat the outcome as unknown.
    return callTarget(session, OutcomeUnknownError, what, () =>
      send(ports.rotator(target.type), { ...call, using }, signal),
    );
  }
  return asAuthority(session, authority, change, mayOmitLogIn);
}

function changeDeadline({ ports, target }: TargetSession): AbortSignal {
  const { change = deadlines.apply } = target.policy.timeouts ?? {};
  return ports.deadline(Math.min(change, deadlines.apply));
}

/** Whether the account has open sessions. Throws ConfigError for a rotator that cannot find out. */
export async function hasSessions(
  session: TargetSession,
  account: string,
  authority: Authority,
): Promise<boolean> {
  const { ports, target } = session;
  const { using } = authority;
  const rotator = ports.rotator(target.type);
  const signal = checkDeadline(session);
  const what = "the check for sessions of the account failed with an unexpected error";
  return asAuthority(session, authority, () =>
    callTarget(session, TargetUnavailableError, what, async () => {
      if (rotator.hasSessions)
        return rotator.hasSessions({ ...toCall(session, "stays"), account, using }, signal);
      throw new ConfigError(
        `retire: proof needs a system that can list sessions, and ${target.type} cannot. Use retire: grace`,
      );
    }),
  );
}

/** Removes the account's password permanently. `proof` shows which secret works instead. */
export function retireAccount(
  session: TargetSession,
  retired: Pick<Retire<unknown>, "account" | "publishedText" | "superseded" | "isInTime">,
  authority: Authority,
  proof: Proof,
): Promise<void> {
  const what = "the result of the retirement is unknown";
  return sendChange(session, { authority, proof, what }, async (rotator, call, signal) =>
    rotator.retire?.({ ...call, ...retired }, signal),
  );
}

/** Makes every secret of the account useless except `kept.keep`. `proof` shows that this works. */
export function discardOthers(
  session: TargetSession,
  kept: Pick<Discard<unknown>, "keep" | "ended" | "isInTime">,
  authority: Authority,
  proof: Proof,
): Promise<void> {
  const what = "the result of the end of the superseded password is unknown";
  return sendChange(session, { authority, proof, what }, async (rotator, call, signal) =>
    rotator.discard?.({ ...call, ...kept }, signal),
  );
}

import { AuthorityRefusedError } from "../../core/errors.ts";
import { findGuessPause } from "../../core/looks/guesses.ts";
import type { Refusal } from "../../core/record/record.ts";
import type { VersionRef } from "../../core/target.ts";
import type { Using } from "../../rotators/rotator.ts";
import type { TargetSession } from "../session.ts";
import { GuessPauseError } from "./guess-pause.ts";

/** Who makes a change, and where their secret is stored, if they have one. */
export interface Authority {
  readonly using: Using;
  readonly ref: VersionRef | undefined;
}

/**
 * Makes a call that logs in as the authority. The call reports a refused log-in by "rejected" or AuthorityRefusedError. A refusal counts
 * as a wrong guess for the authority's account: for this target, and for every other target that uses the same version of the admin's
 * secret. Throws GuessPauseError when another log-in of the account must wait. `mayOmitLogIn`: a result does not prove a log-in, because
 * the call logs in as the authority only where it must.
 */
export async function asAuthority<Result>(
  session: TargetSession,
  { using, ref }: Authority,
  call: () => Promise<Result>,
  mayOmitLogIn = false,
): Promise<Result> {
  if (using.as === "identity" || !ref) return call();
  const { credential } = using;
  const { account } = credential;
  const { version } = ref;
  const shared = using.as === "admin" ? session.ports.adminRefusals : undefined;
  const ofVersion = shared?.list().filter((one) => one.version === version) ?? [];
  requireGuess(session, account, ofVersion);

  async function refused(): Promise<void> {
    shared?.note({ account, version, at: session.now() });
    await session.noteRefusal(credential, version);
  }

  try {
    const result = await call();
    if (result === "rejected") {
      await refused();
    } else if (!mayOmitLogIn) {
      shared?.clear(version);
      session.noteAccepted(account);
    }
    return result;
  } catch (error) {
    if (error instanceof AuthorityRefusedError) await refused();
    throw error;
  }
}

/** `shared`: the refusals of the same secret that other targets have met. */
function requireGuess(session: TargetSession, account: string, shared: readonly Refusal[]): void {
  const now = session.now();
  const pause =
    findGuessPause(session.refusals(), account, now) ?? findGuessPause(shared, account, now);
  if (pause !== undefined) throw new GuessPauseError(account, pause);
}

import { ConfigError } from "../../core/errors.ts";
import { makeKeptSessions } from "../common/connection/kept-sessions.ts";
import { requireAccepted } from "../common/connection/require-accepted.ts";
import type { Retire } from "../rotator.ts";
import { logIn } from "./mongodb-log-in.ts";
import { aimAt, type MongodbOptions } from "./mongodb-options.ts";
import { describeAccount, type Session } from "./mongodb-session.ts";

export const kept = makeKeptSessions<Session>();

/** The credential of the authority and its authentication database. */
function toAuthority({ options, account, using }: Retire<MongodbOptions>) {
  const { authDatabase, adminAuthDatabase } = options;
  if (using.as !== "identity") {
    const home = using.as === "admin" ? adminAuthDatabase : authDatabase;
    return { credential: using.credential, home };
  }
  const where = describeAccount(options, account, authDatabase);
  throw new ConfigError(`${where}: only an admin or the account itself can change the password`);
}

/** Runs the work in a session of the authority, or returns "rejected" if the server refuses its credential. */
export function withAuthoritySession<Result>(
  call: Retire<MongodbOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result | "rejected"> {
  const { options, connectWithin, mayStay = false, isLast = false } = call;
  const { credential, home } = toAuthority(call);
  const log = () => logIn(options, credential, { authDatabase: home, signal, connectWithin });
  return kept.use({ options: [options, home], credential, mayStay, isLast }, signal, log, work);
}

/** Does the same, but throws if the server refuses the credential. */
export async function asAuthority<Result>(
  call: Retire<MongodbOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { options, account } = call;
  const outcome = await withAuthoritySession(call, signal, async (session) => ({
    result: await work(session),
  }));
  const { credential } = toAuthority(call);
  return requireAccepted(
    outcome,
    () =>
      `${describeAccount(options, account, options.authDatabase)}: the server refuses the password of ${credential.account}, the account that makes the change`,
  ).result;
}

/** Logs the authority in to one member, which may be a secondary. */
export function logInToMember(
  call: Retire<MongodbOptions>,
  address: string,
  signal: AbortSignal,
): Promise<Session | "rejected"> {
  const { credential, home } = toAuthority(call);
  const { connectWithin } = call;
  const how = { authDatabase: home, signal, connectWithin, maySecondary: true };
  return logIn(aimAt(call.options, address), credential, how);
}

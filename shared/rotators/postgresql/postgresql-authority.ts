import type { Credential } from "../../core/secrets/secret.ts";
import { nameLogIn, toLogIn } from "../common/connection/identity-account.ts";
import { makeKeptSessions } from "../common/connection/kept-sessions.ts";
import { requireAccepted } from "../common/connection/require-accepted.ts";
import type { Retire } from "../rotator.ts";
import { describeAccount, findTokenServer, type PostgresqlOptions } from "./postgresql-options.ts";
import { logIn, type Session } from "./postgresql-session.ts";

/** Azure Database for PostgreSQL accepts tokens for this scope, in every cloud that has it. */
const tokenScope = "https://ossrdbms-aad.database.windows.net/.default";

type Call = Retire<PostgresqlOptions>;

export const kept = makeKeptSessions<Session>();

/** Runs the work in a session of the authority, or returns "rejected" if the server refuses its credential. */
export async function withAuthoritySession<Result>(
  call: Call,
  signal: AbortSignal,
  work: (session: Session, credential: Credential) => Promise<Result>,
): Promise<Result | "rejected"> {
  const { options, using, connectWithin, mayStay = false, isLast = false } = call;
  const where = describeAccount(options, call.account);
  const server = findTokenServer(options);
  const credential = await toLogIn(call, { scope: tokenScope, server, where }, signal);
  const isToken = using.as === "identity";
  const log = () => logIn(options, { credential, connectWithin, isToken }, signal);
  return kept.use({ options, credential, mayStay, isLast }, signal, log, (session) =>
    work(session, credential),
  );
}

/** Does the same, but throws if the server refuses the credential. */
export async function asAuthority<Result>(
  call: Call,
  signal: AbortSignal,
  work: (session: Session, credential: Credential) => Promise<Result>,
): Promise<Result> {
  const outcome = await withAuthoritySession(call, signal, async (session, credential) => ({
    result: await work(session, credential),
  }));
  const what = call.using.as === "identity" ? "token" : "password";
  return requireAccepted(
    outcome,
    () =>
      `${describeAccount(call.options, call.account)}: the server refuses the ${what} of ${nameLogIn(call)}, the account that makes the change`,
  ).result;
}

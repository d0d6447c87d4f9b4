import {
  AuthorityRefusedError,
  ConfigError,
  TargetUnavailableError,
} from "../../core/errors.ts";
import { toDatabaseScope } from "../../core/secrets/addresses.ts";
import type { Credential, Secret } from "../../core/secrets/secret.ts";
import { makeKeptSessions } from "../connection/kept-sessions.ts";
import type { AzureIdentity, Using } from "../rotator.ts";
import type { SqlLogin, SqlPlace } from "../sql-server/sql-server-connection.ts";
import { type Account, classify } from "./azure-sql-account.ts";
import {
  type Desk,
  isAzureDatabase,
  readServer,
  type Survey,
  surveyAccount,
} from "./azure-sql-catalog.ts";
import { toLookError } from "./azure-sql-errors.ts";
import { type Concern, mayChangeLogins } from "./azure-sql-examine.ts";
import { type AzureSqlOptions, describeAccount } from "./azure-sql-options.ts";
import { openSession, type Session } from "./azure-sql-session.ts";

/** A call to one or all servers of the options. */
export interface Call {
  readonly options: AzureSqlOptions;
  readonly account: string;
  readonly using: Using;
  readonly connectWithin?: number;
  readonly mayStay?: boolean;
  readonly note?: (sentence: string) => void;
}

const kept = makeKeptSessions<Session>();

/** Runs the work in a session of the authority at one database. */
export async function useSession<Result>(
  { account, using, connectWithin, mayStay = false }: Call,
  place: SqlPlace,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result | "rejected"> {
  const where = describeAccount(place, account);
  const login: SqlLogin =
    using.as === "identity" ? { token: await fetchToken(using, place, where, signal) } : using.credential;
  const seen = "token" in login ? where : describeAccount(place, login.account);
  const log = () => openSession(place, login, seen, signal, connectWithin);
  // The token takes the place of a password where sessions are told apart.
  const credential = "token" in login ? { account: "", secret: login.token } : login;
  // The account's own connection must not outlive the secret with which it was opened.
  const isLast = using.as === "self";
  return kept.use({ options: place, credential, mayStay, isLast }, signal, log, work);
}

async function fetchToken(
  identity: AzureIdentity,
  { host }: SqlPlace,
  where: string,
  signal: AbortSignal,
): Promise<Secret> {
  if (signal.aborted) {
    throw new TargetUnavailableError(`${where}: not contacted, because the time limit had passed`);
  }
  return identity.getToken(toDatabaseScope(host), signal);
}

/** Keeps a session that has just proven a secret. */
export function keepSession(place: SqlPlace, credential: Credential, session: Session): void {
  kept.keep({ options: place, credential, mayStay: true }, session);
}

/**
 * Runs the work with sessions at the database and, where another one has the logins, at master. Unexpected errors of the work become
 * errors of a query, so the work must give errors of a change their kind.
 */
export async function withDesk<Result>(
  call: Call,
  place: SqlPlace,
  signal: AbortSignal,
  work: (desk: Desk) => Promise<Result>,
): Promise<Result | "rejected"> {
  const where = describeAccount(place, call.account);
  return useSession(call, place, signal, async (db) => {
    try {
      const facts = await readServer(db, call.account);
      if (!isAzureDatabase(facts) || facts.database === "master") {
        return await work({ db, logins: db, facts });
      }
      if (call.options.contained === true) return await work({ db, logins: undefined, facts });
      const inMaster = await openMaster(call, place, signal, async (logins) => ({
        result: await work({ db, logins, facts }),
      }));
      if (inMaster !== "closed") return inMaster.result;
      return await work({ db, logins: undefined, facts });
    } catch (error) {
      throw toLookError(error, where);
    }
  });
}

/** "closed" if the authority, which the server knows, may not open master. */
async function openMaster<Result>(
  call: Call,
  place: SqlPlace,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result | "closed"> {
  let isOpen = false;
  try {
    const outcome = await useSession(call, { ...place, database: "master" }, signal, (session) => {
      isOpen = true;
      return work(session);
    });
    return outcome === "rejected" ? "closed" : outcome;
  } catch (error) {
    if (!isOpen && error instanceof ConfigError) return "closed";
    throw error;
  }
}

/** Throws if the server refused the log-in of the authority. */
export function requireAccepted<Result>(
  outcome: Result | "rejected",
  { account, using }: Call,
  place: SqlPlace,
): Result {
  if (outcome !== "rejected") return outcome;
  const who =
    using.as === "identity"
      ? "the token of the app's Azure identity. Create a login or a user for the identity FROM EXTERNAL PROVIDER"
      : `the password of ${using.credential.account}, the account that makes the change`;
  throw new AuthorityRefusedError(
    `${describeAccount(place, account)}: the server refuses ${who}`,
  );
}

/** Everything that decides about a change on one server. */
export async function surveyAt(
  desk: Desk,
  { options, account: name, using }: Call,
): Promise<Concern & { readonly account: Account; readonly survey: Survey }> {
  const survey = await surveyAccount(desk, name);
  const contained = options.contained === true;
  const account = classify(survey, name, { contained, seesLogins: mayChangeLogins(survey) });
  const { myUser, myLogin } = survey.facts;
  const isNamed = myUser !== null && myUser !== "dbo" && myUser !== "guest";
  const authority = {
    self: undefined,
    admin: using.as === "identity" ? undefined : using.credential.account,
    identity: isNamed ? myUser : myLogin,
  }[using.as];
  return { name, account, survey, authority, contained };
}

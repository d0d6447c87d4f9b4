import { ConfigError, TargetUnavailableError } from "../../core/errors.ts";
import { toDatabaseScope } from "../../core/secrets/addresses.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { type Keepable, makeKeptSessions } from "../common/connection/kept-sessions.ts";
import type { SqlLogin, SqlPlace } from "../common/sql-server/sql-server-connection.ts";
import type { Using } from "../rotator.ts";
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
  readonly isLast?: boolean;
  readonly note?: (sentence: string) => void;
}

/** The sessions at one server, which stay open together. */
interface Line extends Keepable {
  readonly db: Session;
  /** The session at master, opened when it is needed. Undefined if the authority cannot open it. */
  readonly master: (open: () => Promise<Session | "rejected">) => Promise<Session | undefined>;
}

function toLine(db: Session): Line {
  let master: Session | undefined;
  const all = () => (master === undefined ? [db] : [db, master]);
  const line: Line = {
    db,
    async master(open) {
      if (master !== undefined) return master;
      const opened = await open();
      master = opened === "rejected" ? undefined : opened;
      return master;
    },
    rest: () => {
      for (const session of all()) session.rest();
    },
    async resume(signal) {
      const answers = await Promise.all(all().map((session) => session.resume(signal)));
      if (answers.every((isOpen) => isOpen)) return true;
      await line.close();
      return false;
    },
    async close() {
      for (const session of all()) await session.close();
    },
  };
  return line;
}

const kept = makeKeptSessions<Line>();

/** Keeps a session that has just proven a secret. */
export function keepSession(place: SqlPlace, credential: Credential, session: Session): void {
  kept.keep({ options: place, credential, mayStay: true }, toLine(session));
}

/** Opens a session of the authority at one database. */
export async function openAs(
  call: Call,
  place: SqlPlace,
  login: SqlLogin,
  signal: AbortSignal,
): Promise<Session | "rejected"> {
  const where = describeAccount(place, "token" in login ? call.account : login.account);
  return openSession(place, login, { where, signal, connectWithin: call.connectWithin });
}

/** The authority's own credential, or a fresh token. */
export async function fetchLogin(
  { account, using }: Call,
  place: SqlPlace,
  signal: AbortSignal,
): Promise<SqlLogin> {
  if (using.as !== "identity") return using.credential;
  if (!signal.aborted) return { token: await using.getToken(toDatabaseScope(place.host), signal) };
  const where = describeAccount(place, account);
  throw new TargetUnavailableError(`${where}: not contacted, because the time limit had passed`);
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
  const { mayStay = false, isLast = false } = call;
  const login = await fetchLogin(call, place, signal);
  // The token takes the place of a password where sessions are distinguished.
  const credential = "token" in login ? { account: "", secret: login.token } : login;
  const logIn = async () => {
    const session = await openAs(call, place, login, signal);
    return session === "rejected" ? session : toLine(session);
  };
  return kept.use({ options: place, credential, mayStay, isLast }, signal, logIn, async (line) => {
    try {
      const atMaster = () => openAs(call, { ...place, database: "master" }, login, signal);
      return await work(await toDesk(line, call, atMaster));
    } catch (error) {
      throw toLookError(error, describeAccount(place, call.account));
    }
  });
}

async function toDesk(
  { db, master }: Line,
  { account, options }: Call,
  openMaster: () => Promise<Session | "rejected">,
): Promise<Desk> {
  const facts = await readServer(db, account);
  if (!isAzureDatabase(facts) || facts.database === "master") return { db, logins: db, facts };
  if (options.contained === true) return { db, logins: undefined, facts };
  const logins = await master(async () => {
    try {
      return await openMaster();
    } catch (error) {
      // The server knows the authority already, so only this database is closed to it.
      if (error instanceof ConfigError) return "rejected";
      throw error;
    }
  });
  return { db, logins, facts };
}

/** Says that the server refused the log-in of the authority. */
export function describeRefusal({ account, using }: Call, place: SqlPlace): string {
  const who =
    using.as === "identity"
      ? "the token of the app's Azure identity. Create a login or a user for the identity FROM EXTERNAL PROVIDER"
      : `the password of ${using.credential.account}, the account that makes the change`;
  return `${describeAccount(place, account)}: the server refuses ${who}`;
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

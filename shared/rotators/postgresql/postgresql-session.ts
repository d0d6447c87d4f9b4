import { AccountBlockedError, ConfigError, isKnownError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { type Keepable, toKeepable } from "../common/connection/kept-sessions.ts";
import {
  isPooler,
  type Request,
  toFailure,
  toLoginError,
  toLoginVerdict,
} from "./postgresql-errors.ts";
import { type Line, openLine, type Row } from "./postgresql-line.ts";
import { describeAccount, type PostgresqlOptions } from "./postgresql-options.ts";

export interface Session extends Keepable {
  /** Rejects with the driver's own errors. Only `toFailure` may read them. */
  query(text: string, values?: readonly (string | null)[]): Promise<readonly Row[]>;
  /** How the server requested the password at the log-in. */
  readonly request: Request | undefined;
}

export interface LogIn {
  readonly credential: Credential;
  readonly connectWithin?: number | undefined;
  /** The secret is a token of Azure, which proves something only to a server that requests it in clear text. */
  readonly isToken?: boolean;
}

/** Opens a new connection, or returns "rejected" if the server checked the credential and refused it. */
export async function logIn(
  options: PostgresqlOptions,
  { credential, connectWithin, isToken = false }: LogIn,
  signal: AbortSignal,
): Promise<Session | "rejected"> {
  requireUsable(options, credential);
  const { account, secret } = credential;
  const where = describeAccount(options, account);
  const answer = () => secret.reveal();
  const line = await openLine(options, { account, answer }, signal, connectWithin);
  const failure = await line.connect();
  const verdict = toLoginVerdict(line, failure, where, isToken);
  if (verdict !== "accepted") await line.hangUp();
  if (verdict instanceof Error) throw verdict;
  if (verdict === "rejected") return verdict;
  await requireServer(line, where);
  return toSession(line);
}

/**
 * Makes one query, and throws if a pooler is at the other end: it announces a process of its own, and the query reaches another one.
 * A pooler checks passwords against a list of its own, so its answers prove nothing.
 */
async function requireServer(line: Line, where: string): Promise<void> {
  try {
    const [row] = await line.query("SELECT pg_catalog.pg_backend_pid() AS pid");
    const { backend } = line.asked;
    const pid = row?.["pid"];
    if (typeof pid === "number" && backend !== undefined && pid !== backend) throw isPooler(where);
  } catch (error) {
    await line.close();
    throw isKnownError(error) ? error : toLoginError(toFailure(error), where);
  }
}

function toSession(line: Line): Session {
  return {
    request: line.asked.how,
    query: (text, values) => line.query(text, values),
    ...toKeepable(line, () => line.query("SELECT 1")),
  };
}

/** What a begun log-in has shown. */
export interface Knocked {
  /** How the server requests the password. Absent if it has not come to that. */
  readonly request?: Request;
  /** The answer of the server if it refuses the account before that. */
  readonly blocked?: AccountBlockedError;
}

/**
 * Begins a log-in as the account, and closes the connection when the server requests the password. It sends no password, so the
 * server counts no failed log-in. Throws if the server cannot be reached.
 */
export async function knock(
  options: PostgresqlOptions,
  account: string,
  signal: AbortSignal,
  connectWithin?: number,
): Promise<Knocked> {
  const asked = Promise.withResolvers<"asked">();
  const answer = () => {
    asked.resolve("asked");
    return new Promise<string>(() => undefined);
  };
  const line = await openLine(options, { account, answer }, signal, connectWithin);
  const outcome = await Promise.race([asked.promise, line.connect()]);
  const verdict =
    outcome === "asked"
      ? undefined
      : toLoginVerdict(line, outcome, describeAccount(options, account));
  await line.hangUp();
  if (verdict instanceof AccountBlockedError) return { blocked: verdict };
  if (verdict instanceof Error) throw verdict;
  const { how } = line.asked;
  return how === undefined ? {} : { request: how };
}

export function requireUsable(options: PostgresqlOptions, credential: Credential): void {
  // For the server an empty password means "none"; the driver would use the environment.
  if (credential.secret.reveal() !== "") return;
  throw new ConfigError(`${describeAccount(options, credential.account)}: the secret is empty`);
}

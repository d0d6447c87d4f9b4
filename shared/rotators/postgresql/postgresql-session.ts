import { AccountBlockedError, ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { Keepable } from "../connection/kept-sessions.ts";
import { toLoginVerdict } from "./postgresql-errors.ts";
import { type Line, openLine, type Row } from "./postgresql-line.ts";
import { describeAccount, type PostgresqlOptions } from "./postgresql-options.ts";

/** The server truncates longer names, which could then name another account. */
const maxNameBytes = 63;

export interface Session extends Keepable {
  /** Rejects with the driver's own errors. Only `failureOf` may read them. */
  query(text: string, values?: readonly (string | null)[]): Promise<readonly Row[]>;
}

/**
 * Milliseconds. It is well below a minute, because a change that timed out must not take effect much later, during another change.
 */
const serverPatience = "20000";

/**
 * Prepares the transaction: names resolve in the system catalog, and statements have a time limit. The idle limit matters if the app
 * dies, because the account stays locked for everybody until the session ends.
 */
export async function settle(session: Session): Promise<void> {
  await setLocally(session, "search_path", "pg_catalog");
  for (const name of ["statement", "lock", "idle_in_transaction_session"]) {
    await setLocally(session, `${name}_timeout`, serverPatience);
  }
}

/** Sets a value until the transaction ends, because behind a pooler the next client gets the same session. */
function setLocally(session: Session, name: string, value: string): Promise<readonly Row[]> {
  return session.query("SELECT pg_catalog.set_config($1, $2, true)", [name, value]);
}

/** Runs a query in a read-only transaction. */
export async function lookInto<Result>(
  session: Session,
  ask: () => Promise<Result>,
): Promise<Result> {
  await session.query("BEGIN READ ONLY");
  await settle(session);
  const result = await ask();
  await session.query("COMMIT");
  return result;
}

/** Opens a new connection, or returns "rejected" if the server checked the credential and refused it. */
export async function logIn(
  options: PostgresqlOptions,
  credential: Credential,
  signal: AbortSignal,
  connectWithin?: number,
): Promise<Session | "rejected"> {
  requireUsable(options, credential);
  const { account, secret } = credential;
  const answer = () => secret.reveal();
  const line = await openLine(options, { account, answer }, signal, connectWithin);
  const failure = await line.connect();
  const verdict = toLoginVerdict(line, failure, describeAccount(options, account));
  if (verdict === "accepted") return toSession(line);
  await line.hangUp();
  if (verdict === "rejected") return verdict;
  throw verdict;
}

function toSession(line: Line): Session {
  return {
    query: (text, values) => line.query(text, values),
    rest: () => {
      line.rest();
    },
    async resume(signal) {
      line.wake(signal);
      try {
        await line.query("SELECT 1");
        return true;
      } catch {
        await line.close();
        return false;
      }
    },
    close: () => line.close(),
  };
}

/**
 * Begins a log-in as the account, and closes the connection when the server requests the password. It sends no password, so the
 * server counts no failed log-in. Returns the answer of the server if it refuses the account before that. Throws if the server cannot
 * be reached.
 */
export async function knock(
  options: PostgresqlOptions,
  account: string,
  signal: AbortSignal,
  connectWithin?: number,
): Promise<AccountBlockedError | undefined> {
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
  if (verdict instanceof AccountBlockedError) return verdict;
  if (verdict instanceof Error) throw verdict;
  return undefined;
}

export function requireUsable(options: PostgresqlOptions, credential: Credential): void {
  requireName(credential.account);
  // For the server an empty password means "none"; the driver would use the environment.
  if (credential.secret.reveal() !== "") return;
  throw new ConfigError(`${describeAccount(options, credential.account)}: the secret is empty`);
}

export function requireName(account: string): void {
  const problem =
    account === ""
      ? "is empty"
      : account.includes("\0")
        ? "contains a NUL character"
        : Buffer.byteLength(account, "utf8") > maxNameBytes
          ? `is longer than ${maxNameBytes} bytes`
          : undefined;
  if (problem !== undefined) {
    throw new ConfigError(`PostgreSQL account ${JSON.stringify(account)}: its name ${problem}`);
  }
}

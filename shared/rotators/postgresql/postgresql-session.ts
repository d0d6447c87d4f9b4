import { AccountBlockedError, ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import type { Keepable } from "../connection/kept-sessions.ts";
import { loginVerdict } from "./postgresql-errors.ts";
import { type Line, openLine, type Row } from "./postgresql-line.ts";
import { describeAccount, type PostgresqlOptions } from "./postgresql-options.ts";

/** The server cuts longer names off, and would then mean another account. */
const longestName = 63;

export interface Session extends Keepable {
  /** Rejects with the driver's own errors, which must go no further than `failureOf`. */
  query(text: string, values?: readonly (string | null)[]): Promise<readonly Row[]>;
}

/**
 * Milliseconds. Well below a minute: a change that was given up must not land much later, when another one is
 * already under way.
 */
const serverPatience = "20000";

/**
 * For what comes next in this transaction: names mean those of the system, and nothing takes long. The idle limit
 * matters when we vanish: until our session ends, the account stays locked for everybody.
 */
export async function settle(session: Session): Promise<void> {
  await setLocally(session, "search_path", "pg_catalog");
  for (const name of ["statement", "lock", "idle_in_transaction_session"]) {
    await setLocally(session, `${name}_timeout`, serverPatience);
  }
}

/** Until the transaction ends: behind a pooler, somebody else has the session after us. */
function setLocally(session: Session, name: string, value: string): Promise<readonly Row[]> {
  return session.query("SELECT pg_catalog.set_config($1, $2, true)", [name, value]);
}

/** Asks in a transaction that changes nothing. */
export async function looking<Result>(
  session: Session,
  ask: () => Promise<Result>,
): Promise<Result> {
  await session.query("BEGIN READ ONLY");
  await settle(session);
  const result = await ask();
  await session.query("COMMIT");
  return result;
}

/** A fresh connection, or "rejected" if the server looked at the credential and refused it. */
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
  const verdict = loginVerdict(line, failure, describeAccount(options, account));
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
 * Asks for a log-in as the account, and hangs up when the server asks for the password. No password is sent, so the
 * server counts no failed log-in. Returns what the server answered instead, when it did not let things get that far.
 * Throws when nothing was learnt.
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
      : loginVerdict(line, outcome, describeAccount(options, account));
  await line.hangUp();
  if (verdict instanceof AccountBlockedError) return verdict;
  if (verdict instanceof Error) throw verdict;
  return undefined;
}

export function requireUsable(options: PostgresqlOptions, credential: Credential): void {
  requireName(credential.account);
  // An empty one means "none" to the server, and "look in the environment" to the driver.
  if (credential.secret.reveal() !== "") return;
  throw new ConfigError(`${describeAccount(options, credential.account)}: its secret is empty`);
}

export function requireName(account: string): void {
  const problem =
    account === ""
      ? "is empty"
      : account.includes("\0")
        ? "contains a NUL character"
        : Buffer.byteLength(account, "utf8") > longestName
          ? `is longer than ${longestName} bytes`
          : undefined;
  if (problem !== undefined) {
    throw new ConfigError(`PostgreSQL account ${JSON.stringify(account)}: its name ${problem}`);
  }
}

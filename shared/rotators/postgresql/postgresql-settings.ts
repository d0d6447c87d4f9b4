import { toFailure } from "./postgresql-errors.ts";
import type { Session } from "./postgresql-session.ts";

/**
 * Milliseconds. It is well below a minute, because a change that timed out must not take effect much later, during another change.
 */
const serverPatience = "20000";

/**
 * What ALTER ROLE, ALTER DATABASE and the server's configuration may have set otherwise, and what could change what a statement does:
 * the places where names resolve, time limits, and the form of dates in messages. The idle limit matters if the app dies, because the
 * account stays locked for everybody until the session ends. A setting that the server does not have stays unset.
 */
const knownState = `
  SELECT pg_catalog.set_config(name, value, true)
  FROM (VALUES
    ('transaction_timeout', '0'),
    ('statement_timeout', '${serverPatience}'),
    ('lock_timeout', '${serverPatience}'),
    ('idle_in_transaction_session_timeout', '${serverPatience}'),
    ('search_path', 'pg_catalog, pg_temp'),
    ('DateStyle', 'ISO, YMD'),
    ('TimeZone', 'UTC')
  ) AS known (name, value)
  WHERE pg_catalog.current_setting(name, true) IS NOT NULL`;

/**
 * A default of the role or the database must not decide whether a transaction may write, or what it sees. The settings are in the same
 * message as BEGIN, because a limit may be so short that the session would end before the next one. They hold until the transaction ends.
 */
const begin = {
  change: `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE; ${knownState}`,
  look: `BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY NOT DEFERRABLE; ${knownState}`,
} as const;

/**
 * Sets aside a role that ALTER ROLE … SET role has set at the log-in. The own password can only be changed as oneself. An admin without
 * CREATEROLE may need the role for its right, and keeps it.
 */
const setRoleAside = `
  SELECT pg_catalog.set_config('role', 'none', true)
  FROM pg_catalog.pg_roles
  WHERE rolname = session_user AND current_user <> session_user
    AND (session_user = $1::pg_catalog.text OR rolcreaterole OR rolsuper)`;

/** Begins a transaction in which the settings of the session, of `account` or another, have no effect on the statements. */
export async function beginKnown(
  session: Session,
  account: string,
  kind: keyof typeof begin,
): Promise<void> {
  await session.query(begin[kind]);
  await session.query(setRoleAside, [account]);
}

/** Runs a query about the account in a read-only transaction. */
export async function lookInto<Result>(
  session: Session,
  account: string,
  ask: () => Promise<Result>,
): Promise<Result> {
  await beginKnown(session, account, "look");
  const result = await ask();
  await session.query("COMMIT");
  return result;
}

const insufficientPrivilege = "42501";

/** Does the same. Undefined if the authority may not read the catalog, which a change does not need. */
export async function lookIfPermitted<Result>(
  session: Session,
  account: string,
  ask: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await lookInto(session, account, ask);
  } catch (error) {
    if (toFailure(error).sqlState !== insufficientPrivilege) throw error;
    await session.query("ROLLBACK");
    return undefined;
  }
}

/** The settings that decide what the server writes about a statement into its log, and values that write as little as possible. */
const quiet: Readonly<Record<string, string>> = {
  log_statement: "none",
  log_min_duration_statement: "-1",
  log_min_duration_sample: "-1",
  log_transaction_sample_rate: "0",
  log_min_error_statement: "panic",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
  "pg_stat_statements.track_utility": "off",
  "pgaudit.log": "none",
};

/** Since version 15, the right to change such a setting can be granted. */
const settableSince = 150_000;

/** Keeps the statements of the transaction out of the server's log, as far as the session may. */
export async function beQuiet(session: Session, version: number): Promise<void> {
  const may =
    version < settableSince
      ? "(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)"
      : "(context = 'user' OR pg_catalog.has_parameter_privilege(name, 'SET'))";
  await session.query(
    `SELECT pg_catalog.set_config(name, value, true)
     FROM ROWS FROM (
       pg_catalog.unnest($1::pg_catalog.text[]), pg_catalog.unnest($2::pg_catalog.text[])
     ) AS wanted (name, value)
     JOIN pg_catalog.pg_settings USING (name)
     WHERE ${may}`,
    [Object.keys(quiet), Object.values(quiet)].map(toArray),
  );
}

/** An array literal, for items that need no escape but quotes. */
function toArray(items: readonly string[]): string {
  return `{${items.map((item) => JSON.stringify(item)).join(",")}}`;
}

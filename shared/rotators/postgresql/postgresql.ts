import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  isKnownError,
  OutcomeUnknownError,
} from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { makeKeptSessions } from "../connection/kept-sessions.ts";
import {
  computeScramVerifier,
  defaultIterations,
  findUnfitForScram,
  isTakenAsItStands,
} from "../connection/scram.ts";
import { isAnybodySeen } from "../connection/sessions-seen.ts";
import type { Retire, Rotator, Using } from "../rotator.ts";
import {
  type Failure,
  lookError,
  toChangeError,
  toFailure,
  toLoginError,
} from "./postgresql-errors.ts";
import { describeLackOfRight, examineIn } from "./postgresql-examine.ts";
import {
  describeAccount,
  type PostgresqlOptions,
  postgresqlOptions,
} from "./postgresql-options.ts";
import {
  logIn,
  lookInto,
  requireName,
  requireUsable,
  type Session,
  settle,
} from "./postgresql-session.ts";

export type { PostgresqlOptions };

const insufficientPrivilege = "42501";

/**
 * Makes COMMIT wait until the change is on disk, also on the disks of synchronous standbys. With a weaker setting of the server, a
 * crash could undo a confirmed change. A stronger setting stays unchanged.
 */
export const ontoDisk = `
  SELECT pg_catalog.set_config('synchronous_commit', 'on', true)
  WHERE pg_catalog.current_setting('synchronous_commit') <> 'remote_apply'`;

/** Many clients, including this driver, refuse to compute more iterations. */
const maxIterations = 100_000;

/**
 * Whether a connection that logged in as the account is open, in any database and with any current role, and whether the list shows
 * the connection of Keyturn. Every account can see who is logged in. The kind of a process is hidden (NULL) from accounts that may
 * not see all statistics, and counts as a client. Background workers, such as those of pg_cron, run as an account without a log-in.
 */
const sessionsOf = `
  SELECT
    EXISTS (
      SELECT FROM pg_catalog.pg_stat_activity
      WHERE pid = pg_catalog.pg_backend_pid() AND usename = session_user
    ) AS own,
    EXISTS (
      SELECT FROM pg_catalog.pg_stat_activity
      WHERE usename = $1::pg_catalog.text
        AND pid <> pg_catalog.pg_backend_pid()
        AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')
    ) AS others`;

/** PostgreSQL roles that log in with a password, on any server since version 10. */
export const postgresql: Rotator<PostgresqlOptions> = {
  type: "postgresql",
  options: postgresqlOptions,
  capabilities: {
    selfService: true,
    admin: true,
    identity: false,
    propagation: 0,
  },

  endpoint: ({ host, port, database }) => ({ engine: "postgresql", host, port, database }),

  findUnfit: findUnfitForScram,

  async apply({ next, ...call }, signal) {
    const { options } = call;
    requireUsable(options, next);
    const password = next.secret.reveal();
    if (!isTakenAsItStands(password)) {
      throw new ChangeRefusedError(
        `${describeAccount(options, next.account)}: its next password contains characters that clients encode differently. Restrict the characters in the password rules of the policy`,
      );
    }
    await change({ ...call, account: next.account }, signal, async (session) =>
      computeScramVerifier(password, await readIterations(session)),
    );
    return { credential: next };
  },

  async verify({ options, credential, connectWithin, mayStay = false }, signal) {
    const session = await logIn(options, credential, signal, connectWithin);
    if (session === "rejected") return "rejected";
    try {
      await session.query("SELECT 1");
    } catch (error) {
      await session.close();
      throw toLoginError(toFailure(error), describeAccount(options, credential.account));
    }
    if (mayStay) kept.keep({ options, credential, mayStay }, session);
    else await session.close();
    return "accepted";
  },

  async examine(examine, signal) {
    const { options, account } = examine;
    requireName(account);
    const where = describeAccount(options, account);
    return withAuthoritySession(examine, signal, async (session) => {
      try {
        return await examineIn(session, examine, signal);
      } catch (error) {
        throw isKnownError(error) ? error : lookError(toFailure(error), where);
      }
    });
  },

  async hasSessions(look, signal) {
    const { options, account } = look;
    requireName(account);
    const where = describeAccount(options, account);
    return toChange(look, signal, async (session) => {
      try {
        const [row] = await lookInto(session, () => session.query(sessionsOf, [account]));
        const seen = { own: row?.["own"] === true, others: row?.["others"] !== false };
        return isAnybodySeen(seen, where, "pg_read_all_stats");
      } catch (error) {
        throw isKnownError(error) ? error : lookError(toFailure(error), where);
      }
    });
  },

  async retire(call, signal) {
    const { options, account, using } = call;
    requireName(account);
    if (using.as === "self") {
      throw new ChangeRefusedError(
        `${describeAccount(options, account)}: an account cannot retire itself. Set admin to the secret of an admin`,
      );
    }
    await change(call, signal, () => Promise.resolve(null));
  },
};

const kept = makeKeptSessions<Session>();

/** Stores a verifier. With null it removes the stored one, so that no password logs in. */
async function change(
  call: Retire<PostgresqlOptions>,
  signal: AbortSignal,
  makeVerifier: (session: Session) => Promise<string | null>,
): Promise<void> {
  const { options, account } = call;
  const where = describeAccount(options, account);
  await toChange(call, signal, async (session) => {
    let committing = false;
    try {
      const verifier = await makeVerifier(session);
      // Nothing takes effect before COMMIT is sent: a server that loses the connection rolls back.
      await session.query("BEGIN");
      await settle(session);
      await session.query(ontoDisk);
      await session.query(await alterRole(session, account, verifier));
      committing = true;
      await session.query("COMMIT");
    } catch (error) {
      if (!committing) throw await refusal(session, toFailure(error), call);
      throw new OutcomeUnknownError(
        `${where}: the connection was lost while the change was being committed; either password may be valid`,
      );
    }
  });
}

/** The error for a missing right names the account that lacks it and the statement that grants it. */
async function refusal(
  session: Session,
  failure: Failure,
  { options, account, using }: Retire<PostgresqlOptions>,
): Promise<Error> {
  const where = describeAccount(options, account);
  if (failure.sqlState !== insufficientPrivilege || using.as === "identity") {
    return toChangeError(failure, where);
  }
  const why = await session
    .query("ROLLBACK")
    .then(() => describeLackOfRight(session, account))
    .catch(() => undefined);
  const unnamed =
    `Account \`${account}\` cannot be changed: \`${using.credential.account}\` lacks the right to change it. ` +
    "Grant it CREATEROLE, and from version 16 on also ADMIN OPTION on the account.";
  return new ChangeRefusedError(`${where}, SQLSTATE ${insufficientPrivilege}: ${why ?? unnamed}`);
}

function requireCredential(using: Using, where: string): Credential {
  if (using.as !== "identity") return using.credential;
  throw new ConfigError(`${where}: only an admin or the account itself can change the password`);
}

/** Runs the work in a session of the authority, or returns "rejected" if the server refuses its credential. */
function withAuthoritySession<Result>(
  { options, account, using, connectWithin, mayStay = false }: Retire<PostgresqlOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result | "rejected"> {
  const credential = requireCredential(using, describeAccount(options, account));
  const log = () => logIn(options, credential, signal, connectWithin);
  // The account's own connection must not use up a connection that consumers need to log in with the new secret.
  const isLast = using.as === "self";
  return kept.use({ options, credential, mayStay, isLast }, signal, log, work);
}

/** Does the same, but throws if the server refuses the credential. */
async function toChange<Result>(
  call: Retire<PostgresqlOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const outcome = await withAuthoritySession(call, signal, async (session) => ({
    result: await work(session),
  }));
  if (outcome !== "rejected") return outcome.result;
  const where = describeAccount(call.options, call.account);
  const { account } = requireCredential(call.using, where);
  throw new AuthorityRefusedError(
    `${where}: the server refuses the password of ${account}, the account that makes the change`,
  );
}

/**
 * ALTER ROLE accepts no parameters, so the server itself quotes them into the statement. The schema is named, because a function
 * `format` of another user earlier in the search path would run with the rights of an admin. NULL stays NULL.
 */
async function alterRole(
  session: Session,
  account: string,
  verifier: string | null,
): Promise<string> {
  const [row] = await session.query(
    "SELECT pg_catalog.format('ALTER ROLE %I PASSWORD %L', $1::pg_catalog.text, $2::pg_catalog.text) AS statement",
    [account, verifier],
  );
  return String(row?.["statement"]);
}

/** The number of iterations that the server is set to. The setting exists since version 16. */
async function readIterations(session: Session): Promise<number> {
  const [row] = await session.query(
    "SELECT pg_catalog.current_setting('scram_iterations', true) AS iterations",
  );
  const wanted = Number(row?.["iterations"] ?? defaultIterations);
  return Math.min(Math.max(wanted, 1), maxIterations);
}

import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  isKnownError,
  OutcomeUnknownError,
} from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { keptSessions } from "../connection/kept-sessions.ts";
import { defaultIterations, isTakenAsItStands, scramVerifier } from "../connection/scram.ts";
import { isAnybodySeen } from "../connection/sessions-seen.ts";
import type { Retire, Rotator, Using } from "../rotator.ts";
import {
  changeError,
  type Failure,
  loginError,
  lookError,
  toFailure,
} from "./postgresql-errors.ts";
import { examineIn, lackOfRight } from "./postgresql-examine.ts";
import {
  describeAccount,
  type PostgresqlOptions,
  postgresqlOptions,
} from "./postgresql-options.ts";
import {
  logIn,
  looking,
  requireName,
  requireUsable,
  type Session,
  settle,
} from "./postgresql-session.ts";

export type { PostgresqlOptions };

const insufficientPrivilege = "42501";

/**
 * Makes COMMIT wait until the change is on disk, and with synchronous standbys on theirs. Where the server is set to
 * less, a crash could undo a change that we were told of. What waits even longer stays as it is.
 */
export const ontoDisk = `
  SELECT pg_catalog.set_config('synchronous_commit', 'on', true)
  WHERE pg_catalog.current_setting('synchronous_commit') <> 'remote_apply'`;

/** Many clients, this driver among them, refuse to compute more. */
const mostIterations = 100_000;

/**
 * Whether a connection is open that logged in as the account, whatever role it has taken on since, in any database;
 * and whether the list shows our own. Everybody is shown who is logged in. What kind of process a row stands for is
 * hidden (NULL) from who may not see all statistics; that counts as a client. Background workers, such as those of
 * pg_cron, run as an account without having logged in.
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

  async apply({ next, ...call }, signal) {
    const { options } = call;
    requireUsable(options, next);
    const password = next.secret.reveal();
    if (!isTakenAsItStands(password)) {
      throw new ChangeRefusedError(
        `${describeAccount(options, next.account)}: its next secret holds characters that clients read in different ways`,
      );
    }
    await change({ ...call, account: next.account }, signal, async (session) =>
      scramVerifier(password, await readIterations(session)),
    );
    return next;
  },

  async verify({ options, credential, connectWithin, mayStay = false }, signal) {
    const session = await logIn(options, credential, signal, connectWithin);
    if (session === "rejected") return "rejected";
    try {
      await session.query("SELECT 1");
    } catch (error) {
      await session.close();
      throw loginError(toFailure(error), describeAccount(options, credential.account));
    }
    if (mayStay) kept.keep({ options, credential, mayStay }, session);
    else await session.close();
    return "accepted";
  },

  async examine(examine, signal) {
    const { options, account } = examine;
    requireName(account);
    const where = describeAccount(options, account);
    return asAuthority(examine, signal, async (session) => {
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
        const [row] = await looking(session, () => session.query(sessionsOf, [account]));
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
        `${describeAccount(options, account)}: an account does not retire itself; it takes an admin`,
      );
    }
    await change(call, signal, () => Promise.resolve(null));
  },
};

const kept = keptSessions<Session>();

/** Stores a verifier, or with null removes what is stored, so that no password logs in any more. */
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
      // Until COMMIT is sent nothing can take effect: a server that loses us rolls back.
      await session.query("BEGIN");
      await settle(session);
      await session.query(ontoDisk);
      await session.query(await alterRole(session, account, verifier));
      committing = true;
      await session.query("COMMIT");
    } catch (error) {
      if (!committing) throw await refusal(session, toFailure(error), call);
      throw new OutcomeUnknownError(
        `${where}: the line was lost while the change was being committed; either password may be valid`,
      );
    }
  });
}

/** A refusal for want of a right names who lacks it, and the statement that grants it. */
async function refusal(
  session: Session,
  failure: Failure,
  { options, account, using }: Retire<PostgresqlOptions>,
): Promise<Error> {
  const where = describeAccount(options, account);
  if (failure.sqlState !== insufficientPrivilege || using.as === "identity") {
    return changeError(failure, where);
  }
  const why = await session
    .query("ROLLBACK")
    .then(() => lackOfRight(session, account))
    .catch(() => undefined);
  const unnamed =
    `Account \`${account}\` can't be changed: \`${using.credential.account}\` lacks the right to. ` +
    "It takes CREATEROLE, and from version 16 on also ADMIN OPTION on the account.";
  return new ChangeRefusedError(`${where}, SQLSTATE ${insufficientPrivilege}: ${why ?? unnamed}`);
}

function requireCredential(using: Using, where: string): Credential {
  if (using.as !== "identity") return using.credential;
  throw new ConfigError(`${where}: only an admin or the account itself can change its password`);
}

/** In a session of the authority that was given, or "rejected" if the server refuses its credential. */
function asAuthority<Result>(
  { options, account, using, connectWithin, mayStay = false }: Retire<PostgresqlOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result | "rejected"> {
  const credential = requireCredential(using, describeAccount(options, account));
  const log = () => logIn(options, credential, signal, connectWithin);
  // One account's own connection must not stand in the way of those who log in with the new secret.
  const isLast = using.as === "self";
  return kept.use({ options, credential, mayStay, isLast }, signal, log, work);
}

/** The same, be it only to look; throws when there is no session to be had. */
async function toChange<Result>(
  call: Retire<PostgresqlOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const outcome = await asAuthority(call, signal, async (session) => ({
    result: await work(session),
  }));
  if (outcome !== "rejected") return outcome.result;
  const where = describeAccount(call.options, call.account);
  const { account } = requireCredential(call.using, where);
  throw new AuthorityRefusedError(
    `${where}: the server refuses the secret of ${account}, with which the change was to be made`,
  );
}

/**
 * ALTER ROLE takes no parameters, so the server itself quotes them into its text. Named with its schema, because a
 * function `format` of somebody else earlier in the search path would run with an admin's rights. NULL stays NULL.
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

/** As the server's own administrator wants it; a setting since version 16. */
async function readIterations(session: Session): Promise<number> {
  const [row] = await session.query(
    "SELECT pg_catalog.current_setting('scram_iterations', true) AS iterations",
  );
  const wanted = Number(row?.["iterations"] ?? defaultIterations);
  return Math.min(Math.max(wanted, 1), mostIterations);
}

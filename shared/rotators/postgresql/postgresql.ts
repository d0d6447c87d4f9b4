import { ChangeRefusedError, isKnownError } from "../../core/errors.ts";
import { findUnfitForScram, isTakenAsItStands } from "../common/connection/scram.ts";
import { isAnybodySeen } from "../common/connection/sessions-seen.ts";
import { guarded } from "../guarded.ts";
import { asAuthority, kept, withAuthoritySession } from "./postgresql-authority.ts";
import { change } from "./postgresql-change.ts";
import { lookError, toFailure } from "./postgresql-errors.ts";
import { examineIn } from "./postgresql-examine.ts";
import {
  describeAccount,
  findOptionFaults,
  findUnfitAccount,
  type PostgresqlOptions,
  postgresqlOptions,
} from "./postgresql-options.ts";
import { logIn, requireUsable } from "./postgresql-session.ts";
import { lookInto } from "./postgresql-settings.ts";

export type { PostgresqlOptions };

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
export const postgresql = guarded<PostgresqlOptions>({
  type: "postgresql",
  mistakenFor: ["postgres", "pgsql"],
  options: postgresqlOptions,
  capabilities: {
    selfService: true,
    admin: true,
    identity: true,
    propagation: 0,
  },

  endpoint: ({ host, port, database, tls: { mode } }) => ({
    ...{ engine: "postgresql", host, port, database },
    ...(mode === "disable" && { tls: false }),
  }),

  findOptionFaults,

  findUnfit: findUnfitForScram,

  findUnfitAccount,

  async apply({ next, ...call }, signal) {
    const { options } = call;
    requireUsable(options, next);
    if (!isTakenAsItStands(next.secret.reveal())) {
      throw new ChangeRefusedError(
        `${describeAccount(options, next.account)}: its next password contains characters that clients encode differently. Restrict the characters in the password rules of the policy`,
      );
    }
    await change({ ...call, account: next.account }, signal, next.secret);
    return { credential: next };
  },

  async verify({ options, credential, connectWithin, mayStay = false }, signal) {
    const session = await logIn(options, { credential, connectWithin }, signal);
    if (session === "rejected") return "rejected";
    if (mayStay) kept.keep({ options, credential, mayStay }, session);
    else await session.close();
    return "accepted";
  },

  async examine(examine, signal) {
    const { options, account } = examine;
    return withAuthoritySession(examine, signal, (session) =>
      explained(describeAccount(options, account), () => examineIn(session, examine, signal)),
    );
  },

  async hasSessions(look, signal) {
    const { options, account } = look;
    const where = describeAccount(options, account);
    return asAuthority(look, signal, (session) =>
      explained(where, async () => {
        const [row] = await lookInto(session, account, () => session.query(sessionsOf, [account]));
        const seen = { own: row?.["own"] === true, others: row?.["others"] !== false };
        return isAnybodySeen(seen, where, "pg_read_all_stats");
      }),
    );
  },

  async retire(call, signal) {
    await change(call, signal, null);
  },
});

/** Runs queries that change nothing. */
async function explained<Result>(where: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    throw isKnownError(error) ? error : lookError(toFailure(error), where);
  }
}

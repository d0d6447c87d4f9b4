import { ChangeRefusedError, ConfigError, isKnownError } from "../../core/errors.ts";
import type { Secret } from "../../core/secrets/secret.ts";
import { nameLogIn, toLogIn } from "../common/connection/identity-account.ts";
import { makeKeptSessions } from "../common/connection/kept-sessions.ts";
import { requireAccepted } from "../common/connection/require-accepted.ts";
import { isAnybodySeen } from "../common/connection/sessions-seen.ts";
import { guarded } from "../guarded.ts";
import type { Retire } from "../rotator.ts";
import { discardOthers, removePasswords, setPassword } from "./mysql-change.ts";
import { toFailure, toQueryError } from "./mysql-errors.ts";
import { examineIn } from "./mysql-examine.ts";
import { countConnections } from "./mysql-findings.ts";
import { withAccountLock } from "./mysql-lock.ts";
import {
  describeAccount,
  findOptionFaults,
  findTokenServer,
  findUnfitAccount,
  type MysqlOptions,
  mysqlOptions,
} from "./mysql-options.ts";
import { readPrivileges } from "./mysql-rights.ts";
import {
  type CallContext,
  configureSession,
  logIn,
  nameSystem,
  type Session,
} from "./mysql-session.ts";

export type { MysqlOptions };

/** Tokens of the app's Azure identity for Azure Database for MySQL. */
const tokenScope = "https://ossrdbms-aad.database.windows.net/.default";

/** The limit of `caching_sha2_password`. */
const maxPasswordBytes = 256;

/** MySQL and MariaDB accounts that log in with a password. */
export const mysql = guarded<MysqlOptions>({
  type: "mysql",
  mistakenFor: ["mariadb"],
  options: mysqlOptions,
  capabilities: {
    selfService: true,
    admin: true,
    identity: true,
    propagation: 0,
  },

  endpoint: ({ host, port, database, tls: { mode } }) => ({
    ...{ engine: "mysql", host, port },
    ...(database !== undefined && { database }),
    ...(mode === "disable" && { tls: false }),
  }),

  findOptionFaults,

  overlaps: () => true,

  findUnfit,

  findUnfitAccount,

  async apply({ next, keep, keepInDoubt = false, ...call }, signal) {
    const { options } = call;
    const where = describeAccount(options, next.account);
    if (next.secret.reveal() === "") throw new ConfigError(`${where}: the secret is empty`);
    if (findUnfit(next.secret) !== undefined) {
      throw new ChangeRefusedError(
        `${where}: its next password has a NUL character or more than ${maxPasswordBytes} bytes. Change the password rules of the policy`,
      );
    }
    const kept = await toChange({ ...call, account: next.account }, signal, (context) =>
      setPassword(context, next.secret.reveal(), keep && { secret: keep.secret, keepInDoubt }),
    );
    return { credential: next, ...(kept !== undefined && { kept }) };
  },

  async verify({ options, credential, connectWithin, mayStay = false }, signal) {
    const session = await logIn(options, credential, { signal, connectWithin });
    if (session === "rejected") return "rejected";
    if (mayStay) kept.keep({ options, credential, mayStay }, session);
    else await session.close();
    return "accepted";
  },

  async examine(examine, signal) {
    return withAuthority(examine, signal, (context) =>
      withQueryErrors(context, () => examineIn(context, examine)),
    );
  },

  /** Without PROCESS, the list shows only the connections of the authority's own account. */
  async hasSessions(look, signal) {
    return toLook(look, signal, async ({ session, where }) => {
      const { account, using } = look;
      const others = (await countConnections(session, account)) > 0;
      const own = using.as === "self" || (await readPrivileges(session)).has("PROCESS");
      return isAnybodySeen({ own, others }, where, "PROCESS");
    });
  },

  async retire(call, signal) {
    await toChange(call, signal, removePasswords);
  },

  async discard({ keep, ...call }, signal) {
    await toChange({ ...call, account: keep.account }, signal, (context) =>
      discardOthers(context, keep.secret.reveal()),
    );
  },
});

const kept = makeKeptSessions<Session>();

function findUnfit(secret: Secret): string | undefined {
  const password = secret.reveal();
  const isFit =
    password.isWellFormed() &&
    !password.includes("\0") &&
    Buffer.byteLength(password, "utf8") <= maxPasswordBytes;
  return isFit
    ? undefined
    : `\`value\` must be text of at most ${maxPasswordBytes} bytes without NUL characters`;
}

/** Runs the work in a configured session of the authority, or returns "rejected" if the server refuses its credential. */
async function withAuthority<Result>(
  call: Retire<MysqlOptions>,
  signal: AbortSignal,
  work: (context: CallContext) => Promise<Result>,
): Promise<Result | "rejected"> {
  const { options, account, using, connectWithin, mayStay = false, isLast = false } = call;
  const where = describeAccount(options, account);
  const server = findTokenServer(options);
  const credential = await toLogIn(call, { scope: tokenScope, server, where }, signal);
  const isToken = using.as === "identity";
  const log = () => logIn(options, credential, { signal, connectWithin, isToken });
  return kept.use({ options, credential, mayStay, isLast }, signal, log, async (session) => {
    const server = await configureSession(session, where).catch((error: unknown) => {
      throw isKnownError(error) ? error : toQueryError(toFailure(error), where);
    });
    return work({
      session,
      server,
      call,
      where: describeAccount(options, account, nameSystem(server)),
    });
  });
}

/** Does the same, but throws if the server refuses the credential. */
async function toLook<Result>(
  call: Retire<MysqlOptions>,
  signal: AbortSignal,
  work: (context: CallContext) => Promise<Result>,
): Promise<Result> {
  const outcome = await withAuthority(call, signal, async (context) => ({
    result: await withQueryErrors(context, () => work(context)),
  }));
  return requireAccepted(
    outcome,
    () =>
      `${describeAccount(call.options, call.account)}: the server refuses the password of ${nameLogIn(call)}, the account that makes the change, or the password has expired`,
  ).result;
}

/** Holds the account's lock during the work, so that no earlier change can take effect later. */
function toChange<Result>(
  call: Retire<MysqlOptions>,
  signal: AbortSignal,
  work: (context: CallContext) => Promise<Result>,
): Promise<Result> {
  const { account } = call;
  return toLook(call, signal, (context) => {
    const { session, server, where } = context;
    const lock = { account, loggedInAs: server.loggedInAs.account, where };
    return withAccountLock(session, lock, () => work(context));
  });
}

async function withQueryErrors<Result>(
  { where }: CallContext,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw isKnownError(error) ? error : toQueryError(toFailure(error), where);
  }
}

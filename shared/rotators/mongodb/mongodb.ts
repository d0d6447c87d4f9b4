import { randomBytes } from "node:crypto";
import { z } from "zod";
import {
  AuthorityRefusedError,
  ChangeRefusedError,
  ConfigError,
  isKnownError,
  OutcomeUnknownError,
} from "../../core/errors.ts";
import { makeKeptSessions } from "../connection/kept-sessions.ts";
import { findUnfitForScram, isTakenAsItStands } from "../connection/scram.ts";
import { isAnybodySeen, type SessionsSeen } from "../connection/sessions-seen.ts";
import type { Retire, Rotator } from "../rotator.ts";
import { isForbidden, lookError, toChangeError, toLoginError } from "./mongodb-errors.ts";
import { examineIn } from "./mongodb-examine.ts";
import { findFirstMember, type MongodbOptions, mongodbOptions } from "./mongodb-options.ts";
import {
  cluster,
  describeUnableToChange,
  describeUnableToSeeSessions,
  listPrivileges,
} from "./mongodb-rights.ts";
import { describeAccount, logIn, requireUsable, type Session } from "./mongodb-session.ts";

export type { MongodbOptions };

/**
 * Milliseconds. A change counts once a majority of the replica set has it on disk: a new primary may not have a change that only the
 * old one had, and a crash loses a change that is not on disk. Both limits are well below a minute, because a change that timed out
 * must not take effect much later.
 */
const majority = { w: "majority", j: true, wtimeout: 10_000 };
const serverPatience = 20_000;

/** MongoDB users that log in with a password (SCRAM). */
export const mongodb: Rotator<MongodbOptions> = {
  type: "mongodb",
  options: mongodbOptions,
  capabilities: {
    selfService: true,
    admin: true,
    identity: false,
    propagation: 0,
  },

  endpoint: (options) => ({
    engine: "mongodb",
    ...findFirstMember(options),
    database: options.database,
  }),

  findUnfit: findUnfitForScram,

  accountRealm: ({ authDatabase }) => authDatabase,

  async apply({ next, ...call }, signal) {
    const { options } = call;
    const where = describeAccount(options, next.account, options.authDatabase);
    requireUsable(next, where);
    const password = next.secret.reveal();
    if (!isTakenAsItStands(password)) {
      throw new ChangeRefusedError(
        `${where}: its next password contains characters that clients encode differently. Restrict the characters in the password rules of the policy`,
      );
    }
    await change({ ...call, account: next.account }, password, signal);
    return { credential: next };
  },

  async verify({ options, credential, as, connectWithin, mayStay = false }, signal) {
    const home = as === "admin" ? options.adminAuthDatabase : options.authDatabase;
    const session = await logIn(options, credential, { authDatabase: home, signal, connectWithin });
    if (session === "rejected") return "rejected";
    try {
      await session.run(options.database, { ping: 1 });
    } catch (error) {
      await session.close();
      throw toLoginError(error, describeAccount(options, credential.account, home));
    }
    if (mayStay) kept.keep({ options: [options, home], credential, mayStay }, session);
    else await session.close();
    return "accepted";
  },

  async examine(examine, signal) {
    const { options, account } = examine;
    const where = describeAccount(options, account, options.authDatabase);
    return withAuthoritySession(examine, signal, async (session) => {
      try {
        return await examineIn(session, examine, serverPatience);
      } catch (error) {
        throw isKnownError(error) ? error : toLoginError(error, where);
      }
    });
  },

  /** Queries the one server that answers: the primary, or one mongos. */
  async hasSessions(look, signal) {
    const where = describeAccount(look.options, look.account, look.options.authDatabase);
    return toChange(look, signal, async (session) => {
      try {
        const seen = await readSessions(session, look);
        if (isAnybodySeen(seen, where, "inprog on the cluster (role clusterMonitor)")) return true;
        // An emulation that ignores rights would show only the sessions of Keyturn.
        const privileges = await listPrivileges(session, serverPatience);
        if (privileges?.allows("inprog", cluster) === true) return false;
        throw new ChangeRefusedError(`${where}: ${describeUnableToSeeSessions(look)}`);
      } catch (error) {
        throw isKnownError(error)
          ? error
          : lookError(error, where, describeUnableToSeeSessions(look));
      }
    });
  },

  /**
   * Sets a secret that nobody knows. If the user were removed, it would lose its roles and could not get a secret again. The server
   * does not remove the last mechanism of a user.
   */
  async retire(call, signal) {
    const { options, account, using } = call;
    if (using.as === "self") {
      throw new ChangeRefusedError(
        `${describeAccount(options, account, options.authDatabase)}: an account cannot retire itself. Set admin to the secret of an admin`,
      );
    }
    await change(call, randomBytes(48).toString("base64url"), signal);
  },
};

const kept = makeKeptSessions<Session>();

async function change(
  call: Retire<MongodbOptions>,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const { options, account } = call;
  const { authDatabase } = options;
  const where = describeAccount(options, account, authDatabase);
  await toChange(call, signal, async (session) => {
    let sent = false;
    try {
      const mechanisms = await listMechanisms(session, authDatabase, account);
      sent = true;
      const reply = await session.run(authDatabase, {
        updateUser: account,
        pwd: password,
        ...(mechanisms.length > 0 && { mechanisms }),
        writeConcern: majority,
        maxTimeMS: serverPatience,
      });
      // The driver does not treat this as an error. The change is on the primary, but a new primary may undo it.
      if ("writeConcernError" in reply) {
        throw new OutcomeUnknownError(
          `${where}: writing the change to a majority of the replica set timed out; either password may be valid`,
        );
      }
    } catch (error) {
      if (error instanceof OutcomeUnknownError) throw error;
      throw sent
        ? toChangeError(error, where, describeUnableToChange(call))
        : toLoginError(error, where);
    }
  });
}

/** The credential of the authority and its authentication database. */
function toAuthority({ options, account, using }: Retire<MongodbOptions>) {
  const { authDatabase, adminAuthDatabase } = options;
  if (using.as !== "identity") {
    const home = using.as === "admin" ? adminAuthDatabase : authDatabase;
    return { credential: using.credential, home };
  }
  const where = describeAccount(options, account, authDatabase);
  throw new ConfigError(`${where}: only an admin or the account itself can change the password`);
}

/** Runs the work in a session of the authority, or returns "rejected" if the server refuses its credential. */
function withAuthoritySession<Result>(
  call: Retire<MongodbOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result | "rejected"> {
  const { options, connectWithin, mayStay = false } = call;
  const { credential, home } = toAuthority(call);
  const log = () => logIn(options, credential, { authDatabase: home, signal, connectWithin });
  const isLast = call.using.as === "self";
  return kept.use({ options: [options, home], credential, mayStay, isLast }, signal, log, work);
}

/** Does the same, but throws if the server refuses the credential. */
async function toChange<Result>(
  call: Retire<MongodbOptions>,
  signal: AbortSignal,
  work: (session: Session) => Promise<Result>,
): Promise<Result> {
  const { options, account } = call;
  const outcome = await withAuthoritySession(call, signal, async (session) => ({
    result: await work(session),
  }));
  if (outcome !== "rejected") return outcome.result;
  const { credential } = toAuthority(call);
  throw new AuthorityRefusedError(
    `${describeAccount(options, account, options.authDatabase)}: the server refuses the secret of ` +
      `${credential.account}, which makes the change`,
  );
}

const helloReply = z.object({ connectionId: z.number() });
const aggregateReply = z.object({
  cursor: z.object({
    firstBatch: z.array(
      z.object({
        connectionId: z.number().optional(),
        effectiveUsers: z.array(z.unknown()).optional(),
      }),
    ),
  }),
});

/**
 * Lists the connection of Keyturn and those of the account in one query. Two entries are enough: if neither is that of Keyturn,
 * another client is logged in. `localOps`: a mongos lists its own clients, and not its operations on the shards.
 */
async function readSessions(
  session: Session,
  { options, account }: Retire<MongodbOptions>,
): Promise<SessionsSeen> {
  const own = helloReply.safeParse(await session.run("admin", { hello: 1 })).data?.connectionId;
  const everybody = { allUsers: true, idleConnections: true, localOps: true };
  const user = { user: { $eq: account }, db: { $eq: options.authDatabase } };
  const isOurs = { connectionId: { $eq: own ?? -1 } };
  const reply = await session.run("admin", {
    aggregate: 1,
    pipeline: [
      { $currentOp: everybody },
      { $match: { $or: [isOurs, { effectiveUsers: { $elemMatch: user } }] } },
      { $project: { connectionId: 1, effectiveUsers: 1 } },
      { $limit: 2 },
    ],
    cursor: {},
    maxTimeMS: serverPatience,
  });
  const found = aggregateReply.safeParse(reply).data?.cursor.firstBatch;
  if (found === undefined) return { own: false, others: true };
  const [ours, others] = [
    found.filter(({ connectionId }) => connectionId === own),
    found.filter(({ connectionId }) => connectionId !== own),
  ];
  // The list of an emulation without names could not show the account either.
  const hasNames = ours.some(({ effectiveUsers }) => (effectiveUsers ?? []).length > 0);
  return { own: own !== undefined && hasNames, others: others.length > 0 };
}

const usersInfoReply = z.object({
  users: z.array(z.object({ mechanisms: z.array(z.string()).default([]) })),
});

/**
 * The mechanisms of the account, for the change. Without them the server would create credentials for every mechanism, and so add
 * SCRAM-SHA-1 to an account restricted to SCRAM-SHA-256. For an admin that may change passwords but not view users they are unknown,
 * and the server decides.
 */
async function listMechanisms(
  session: Session,
  authDatabase: string,
  account: string,
): Promise<readonly string[]> {
  try {
    const reply = await session.run(authDatabase, {
      usersInfo: { user: account, db: authDatabase },
      maxTimeMS: serverPatience,
    });
    const found = usersInfoReply.safeParse(reply).data?.users[0]?.mechanisms ?? [];
    return found.filter((mechanism) => mechanism.startsWith("SCRAM-"));
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

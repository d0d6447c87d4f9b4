import { z } from "zod";
import { ChangeRefusedError, isKnownError, TargetUnavailableError } from "../../core/errors.ts";
import { isAnybodySeen, type SessionsSeen } from "../common/connection/sessions-seen.ts";
import type { Look } from "../rotator.ts";
import { lookError } from "./mongodb-errors.ts";
import type { MongodbOptions } from "./mongodb-options.ts";
import { cluster, describeUnableToSeeSessions, listPrivileges } from "./mongodb-rights.ts";
import { describeAccount, type Session } from "./mongodb-session.ts";

/** Milliseconds that a query may take on the server. */
const within = 20_000;

export type LogInTo = (address: string) => Promise<Session | "rejected">;

/**
 * Whether a client other than Keyturn is logged in as the account. A server lists its own connections only, so every member of the
 * replica set, or every known mongos, is queried.
 */
export async function isAnybodyLoggedIn(
  session: Session,
  look: Look<MongodbOptions>,
  logInTo: LogInTo,
): Promise<boolean> {
  const where = describeAccount(look.options, look.account, look.options.authDatabase);
  const right = describeUnableToSeeSessions(look);
  const isSeenIn = async (one: Session) =>
    isAnybodySeen(
      await readSessions(one, look),
      where,
      "inprog on the cluster (role clusterMonitor)",
    );
  try {
    if (await isSeenIn(session)) return true;
    // An emulation that ignores rights would show only the sessions of Keyturn.
    const privileges = await listPrivileges(session, within);
    if (privileges?.allows("inprog", cluster) !== true) {
      throw new ChangeRefusedError(`${where}: ${right}`);
    }
    for (const address of await listOthers(session)) {
      if (await withMember(address, { where, logInTo }, isSeenIn)) return true;
    }
    return false;
  } catch (error) {
    throw isKnownError(error) ? error : lookError(error, where, right);
  }
}

const greetingReply = z.object({
  connectionId: z.number().optional().catch(undefined),
  setName: z.string().optional().catch(undefined),
  me: z.string().optional().catch(undefined),
});
/** A member of another form has another name than this one, and cannot be queried. */
const statusReply = z.object({
  members: z
    .array(z.object({ name: z.string().catch(""), state: z.number().catch(0) }))
    .catch([{ name: "", state: 0 }]),
});
/** An arbiter has no users. */
const arbiter = 7;

/** The other members of the replica set, hidden ones included, or the other known mongos. */
async function listOthers(session: Session): Promise<readonly string[]> {
  const { setName, me } = greetingReply.parse(await session.run("admin", { hello: 1 }));
  if (setName === undefined) return session.others;
  const status = { replSetGetStatus: 1, maxTimeMS: within };
  const { members } = statusReply.parse(await session.run("admin", status));
  return members
    .filter(({ name, state }) => name !== me && state !== arbiter)
    .map(({ name }) => name);
}

interface Way {
  readonly where: string;
  readonly logInTo: LogInTo;
}

async function withMember(
  address: string,
  { where, logInTo }: Way,
  work: (session: Session) => Promise<boolean>,
): Promise<boolean> {
  const session = await logInTo(address);
  if (session === "rejected") {
    throw new TargetUnavailableError(
      `${where}: the member ${address} refuses the log-in of the admin account. It may lag behind the primary`,
    );
  }
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

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
  { options, account }: Look<MongodbOptions>,
): Promise<SessionsSeen> {
  const own = greetingReply.safeParse(await session.run("admin", { hello: 1 })).data?.connectionId;
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
    maxTimeMS: within,
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

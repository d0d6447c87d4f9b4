import { type Document, Long } from "mongodb";
import { z } from "zod";
import { refused } from "./errors.ts";
import { checkFields } from "./fields.ts";
import { type Call, loggedIn, type Session } from "./session.ts";
import { isAllowed } from "./users.ts";

const currentOp = z.strictObject({
  allUsers: z.boolean().default(false),
  idleConnections: z.boolean().default(false),
  idleCursors: z.boolean().default(false),
  idleSessions: z.boolean().default(true),
  localOps: z.boolean().default(false),
});
const equals = z.strictObject({ $eq: z.string() });
const isUser = z.strictObject({
  effectiveUsers: z.strictObject({ $elemMatch: z.strictObject({ user: equals, db: equals }) }),
});
const isConnection = z.strictObject({ connectionId: z.strictObject({ $eq: z.number() }) });
const condition = z.union([isUser, isConnection]);
const match = z.union([condition, z.strictObject({ $or: z.array(condition) })]);
const shown = z.record(z.string(), z.literal(1));

/** The one kind of aggregation that is spoken here: who is connected, narrowed to some users and connections. */
const pipeline = z.union([
  z.tuple([
    z.strictObject({ $currentOp: currentOp }),
    z.strictObject({ $match: match }),
    z.strictObject({ $limit: z.int().positive() }),
  ]),
  z.tuple([
    z.strictObject({ $currentOp: currentOp }),
    z.strictObject({ $match: match }),
    z.strictObject({ $project: shown }),
    z.strictObject({ $limit: z.int().positive() }),
  ]),
]);
const fields = z.object({ pipeline: z.array(z.unknown()), cursor: z.object({}) });

export function aggregate(call: Call): Document {
  const { command, database } = call;
  const given = checkFields(call, fields);
  const parsed = pipeline.safeParse(given.pipeline);
  if (!parsed.success) throw refused("FailedToParse", "this pipeline is not spoken here");
  if (database !== "admin" || command["aggregate"] !== 1) {
    throw refused(
      "InvalidNamespace",
      "$currentOp must be run against the 'admin' database with {aggregate: 1}",
    );
  }
  const [{ $currentOp }, { $match }] = parsed.data;
  const rest = parsed.data.slice(2);
  const $project = rest
    .map((stage) => ("$project" in stage ? stage.$project : undefined))
    .find(Boolean);
  const $limit = rest.map((stage) => ("$limit" in stage ? stage.$limit : undefined)).find(Boolean);
  const conditions = "$or" in $match ? $match.$or : [$match];
  const firstBatch = connections(call, $currentOp)
    .filter((connection) => conditions.some((one) => isMet(one, connection)))
    .map((connection) => project(connection, $project))
    .slice(0, $limit);
  return { cursor: { firstBatch, id: Long.ZERO, ns: "admin.$cmd.aggregate" }, ok: 1 };
}

type Connection = ReturnType<typeof connections>[number];

function isMet(one: z.infer<typeof condition>, { connectionId, effectiveUsers }: Connection) {
  if ("connectionId" in one) return connectionId === one.connectionId.$eq;
  const { user, db } = one.effectiveUsers.$elemMatch;
  return effectiveUsers?.some((each) => each.user === user.$eq && each.db === db.$eq) === true;
}

function project(connection: Document, fields: Document | undefined): Document {
  if (fields === undefined) return connection;
  return Object.fromEntries(Object.entries(connection).filter(([name]) => name in fields));
}

/** Connections that have not logged in name nobody. Only the one that asks is active. */
function connections(call: Call, { allUsers, idleConnections }: z.infer<typeof currentOp>) {
  const mayAll = loggedIn(call).some((user) => isAllowed(user, "inprog", "admin"));
  if (allUsers && !mayAll) {
    throw refused("Unauthorized", "not authorized on admin to execute command { aggregate: 1 }");
  }
  const own = listUsers(call.session);
  return [...call.server.sessions]
    .filter((session) => idleConnections || session === call.session)
    .map((session) => ({
      type: "op",
      desc: `conn${String(session.id)}`,
      connectionId: session.id,
      client: `${session.client.address}:${String(session.client.port)}`,
      active: session === call.session,
      effectiveUsers: listUsers(session),
    }))
    .filter(
      ({ effectiveUsers }) =>
        allUsers ||
        effectiveUsers.some(({ user, db }) =>
          own.some((one) => one.user === user && one.db === db),
        ),
    )
    .map(({ effectiveUsers, ...rest }) => ({
      ...rest,
      // Left out of the answer when it is undefined.
      effectiveUsers: call.server.lacks.has("effectiveUsers") ? undefined : effectiveUsers,
    }));
}

function listUsers({ authenticated }: Session): { user: string; db: string }[] {
  return [...authenticated].map(([db, user]) => ({ user, db }));
}

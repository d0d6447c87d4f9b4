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
const match = z.strictObject({
  effectiveUsers: z.strictObject({ $elemMatch: z.strictObject({ user: equals, db: equals }) }),
});

/** The one kind of aggregation that is spoken here: who is connected, narrowed to one user. */
const pipeline = z.tuple([
  z.strictObject({ $currentOp: currentOp }),
  z.strictObject({ $match: match }),
  z.strictObject({ $limit: z.int().positive() }),
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
  const [{ $currentOp }, { $match }, { $limit }] = parsed.data;
  const { user, db } = $match.effectiveUsers.$elemMatch;
  const firstBatch = connections(call, $currentOp)
    .filter(({ effectiveUsers }) =>
      effectiveUsers.some((one) => one.user === user.$eq && one.db === db.$eq),
    )
    .slice(0, $limit);
  return { cursor: { firstBatch, id: Long.ZERO, ns: "admin.$cmd.aggregate" }, ok: 1 };
}

/** Connections that have not logged in name nobody. Only the one that asks is active. */
function connections(call: Call, { allUsers, idleConnections }: z.infer<typeof currentOp>) {
  const mayAll = loggedIn(call).some((user) => isAllowed(user, "inprog", "admin"));
  if (allUsers && !mayAll) {
    throw refused("Unauthorized", "not authorized on admin to execute command { aggregate: 1 }");
  }
  const own = usersOf(call.session);
  return [...call.server.sessions]
    .filter((session) => idleConnections || session === call.session)
    .map((session) => ({
      type: "op",
      desc: `conn${String(session.id)}`,
      connectionId: session.id,
      active: session === call.session,
      effectiveUsers: usersOf(session),
    }))
    .filter(
      ({ effectiveUsers }) =>
        allUsers ||
        effectiveUsers.some(({ user, db }) =>
          own.some((one) => one.user === user && one.db === db),
        ),
    );
}

function usersOf({ authenticated }: Session): { user: string; db: string }[] {
  return [...authenticated].map(([db, user]) => ({ user, db }));
}

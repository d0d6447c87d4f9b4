import { z } from "zod";
import type { Retire } from "../rotator.ts";
import { isUnanswerable } from "./mongodb-errors.ts";
import type { MongodbOptions } from "./mongodb-options.ts";
import type { Session } from "./mongodb-session.ts";

/** The rights of the authority, as the server reports them. */
export interface Privileges {
  /** Whether the right applies in a database, or with "cluster" on the whole server. */
  allows(action: string, where: string | Cluster): boolean;
}

interface Cluster {
  readonly cluster: true;
}
export const cluster: Cluster = { cluster: true };

const statusReply = z.object({
  authInfo: z.object({
    authenticatedUserPrivileges: z.array(
      z.object({
        resource: z.object({
          db: z.string().optional(),
          collection: z.string().optional(),
          cluster: z.boolean().optional(),
          anyResource: z.boolean().optional(),
        }),
        actions: z.array(z.string()),
      }),
    ),
  }),
});

/** Undefined if the server does not say. */
export async function listPrivileges(
  session: Session,
  maxTimeMS: number,
): Promise<Privileges | undefined> {
  const command = { connectionStatus: 1, showPrivileges: true, maxTimeMS };
  const reply = await session.run("admin", command).catch((error: unknown) => {
    if (isUnanswerable(error)) return undefined;
    throw error;
  });
  const found = statusReply.safeParse(reply).data?.authInfo.authenticatedUserPrivileges;
  return (
    found && {
      allows: (action, where) =>
        found.some(
          ({ resource, actions }) =>
            (actions.includes(action) || actions.includes("anyAction")) &&
            (resource.anyResource === true ||
              (typeof where === "string"
                ? resource.collection === "" && ["", where].includes(resource.db ?? "?")
                : resource.cluster === true)),
        ),
    }
  );
}

/** Why the authority may not change the account's password; undefined if it may, or if that is not known. */
export function describeLackOfPassword(
  call: Retire<MongodbOptions>,
  privileges: Privileges | undefined,
): string | undefined {
  const { using, options } = call;
  const { authDatabase } = options;
  const may = (action: string) => privileges?.allows(action, authDatabase) !== false;
  if (may("changePassword") || (using.as === "self" && may("changeOwnPassword"))) return undefined;
  return describeUnableToChange(call);
}

/** Names the missing right to change the account's password, and the commands that grant it. */
export function describeUnableToChange({
  account,
  using,
  options,
}: Retire<MongodbOptions>): string {
  const { authDatabase, adminAuthDatabase } = options;
  const isSelf = using.as === "self";
  const action = isSelf ? "changeOwnPassword" : "changePassword";
  const name = using.as === "identity" ? "identity" : using.credential.account;
  return (
    `Account \`${account}\` in authentication database \`${authDatabase}\` cannot be changed: \`${name}\` lacks ` +
    `${action} there. Run: ${grantActions(authDatabase, isSelf ? [action] : [action, "viewUser"], {
      home: isSelf ? authDatabase : adminAuthDatabase,
      name,
    })}`
  );
}

/** Names the missing right of the admin to see other accounts, and the commands that grant it. */
export function describeUnableToSee(
  { authDatabase, adminAuthDatabase: home }: MongodbOptions,
  name: string,
): { readonly why: string; readonly todo: string } {
  return {
    why: `\`${name}\` lacks viewUser in authentication database \`${authDatabase}\``,
    todo: `Run: ${grantActions(authDatabase, ["viewUser"], { home, name })}`,
  };
}

/** The commands that grant the actions in a database, by a role that is named after the first. */
function grantActions(
  db: string,
  actions: readonly string[],
  { home, name }: { readonly home: string; readonly name: string },
): string {
  const role = `keyturn-${actions[0] ?? ""}-${db}`;
  const definition = {
    role,
    privileges: [{ resource: { db, collection: "" }, actions }],
    roles: [],
  };
  return `db.getSiblingDB("admin").createRole(${JSON.stringify(definition)}); ${grant(home, name, role)}`;
}

/** Names the missing right to see all connections, and the command that grants it. */
export function describeUnableToSeeSessions({ using, options }: Retire<MongodbOptions>): string {
  const name = using.as === "identity" ? "identity" : using.credential.account;
  const home = using.as === "self" ? options.authDatabase : options.adminAuthDatabase;
  return `\`${name}\` cannot list the connected accounts: it lacks the actions inprog and replSetGetStatus on the cluster. Run: ${grant(home, name, "clusterMonitor")}`;
}

function grant(database: string, user: string, role: string): string {
  const roles = [{ role, db: "admin" }];
  const [where, who, what] = [database, user, roles].map((value) => JSON.stringify(value));
  return `db.getSiblingDB(${String(where)}).grantRolesToUser(${String(who)}, ${String(what)}).`;
}

import type { Document } from "mongodb";
import { z } from "zod";
import { refused } from "./errors.ts";
import { checkFields } from "./fields.ts";
import { confirmByMajority } from "./majority.ts";
import { type Mechanism, mechanisms } from "./scram.ts";
import { type Call, loggedIn } from "./session.ts";
import {
  type Action,
  isAllowed,
  isKnownRole,
  makeCredentials,
  type Role,
  type StoredUser,
} from "./users.ts";

const userFields = {
  pwd: z.string(),
  roles: z.array(z.union([z.string(), z.object({ role: z.string(), db: z.string() })])),
  mechanisms: z.array(z.string()),
  digestPassword: z.boolean(),
  customData: z.record(z.string(), z.unknown()),
  authenticationRestrictions: z.array(
    z.object({
      clientSource: z.array(z.string()).exactOptional(),
      serverAddress: z.array(z.string()).exactOptional(),
    }),
  ),
};
const createFields = z.object(userFields).partial();

export async function createUser(call: Call): Promise<Document> {
  const { server, database } = call;
  const fields = checkFields(call, createFields);
  demand(call, isAny(call, "createUser"));
  if (fields.roles === undefined) {
    throw refused(
      "IDLFailedToParse",
      "BSON field 'createUser.roles' is missing but a required field",
    );
  }
  if (fields.pwd === undefined) {
    throw refused("BadValue", "Must provide a 'pwd' field for all user documents, except external");
  }
  const user = getName(call);
  server.users.create({
    user,
    db: database,
    roles: parseRoles(fields.roles, database),
    credentials: await passwordCredentials(call, user, fields),
    restrictions: fields.authenticationRestrictions ?? [],
  });
  return { ok: 1 };
}

export async function updateUser(call: Call): Promise<Document> {
  const { server, database } = call;
  const fields = checkFields(call, createFields);
  const name = getName(call);
  if (Object.keys(fields).length === 0) {
    throw refused("BadValue", "Must specify at least one field to update in updateUser");
  }
  const own = call.session.authenticated.get(database) === name;
  // Naming mechanisms takes no right of its own.
  const passwordOnly = fields.roles === undefined;
  demand(
    call,
    isAny(call, "changePassword") || (own && passwordOnly && isAny(call, "changeOwnPassword")),
  );
  const kept = server.users.find(name, database);
  if (kept === undefined) throw refused("UserNotFound", `User ${name}@${database} not found`);
  const roles = fields.roles === undefined ? kept.roles : parseRoles(fields.roles, database);
  const credentials =
    fields.pwd === undefined
      ? fewerMechanisms(kept, fields.mechanisms)
      : await passwordCredentials(call, name, fields);
  const restrictions = fields.authenticationRestrictions ?? kept.restrictions;
  server.users.replace({ ...kept, roles, credentials, restrictions });
  return { ...confirmByMajority(server), ok: 1 };
}

export function usersInfo(call: Call): Document {
  const { server, session, database } = call;
  const { showAuthenticationRestrictions } = checkFields(call, infoFields);
  const wanted: unknown = call.command["usersInfo"];
  const asked = askedFor(wanted, database);
  const isSelf = asked?.every(({ user, db }) => session.authenticated.get(db) === user) === true;
  demand(call, isSelf || isAny(call, "viewUser"));
  const everyDatabase = typeof wanted === "object" && asked === undefined;
  const users = server.users
    .all()
    .filter((user) =>
      asked === undefined
        ? everyDatabase || user.db === database
        : asked.some((one) => one.user === user.user && one.db === user.db),
    );
  if (showAuthenticationRestrictions === true && server.lacks.has("restrictions")) {
    throw refused(
      "IDLUnknownField",
      "BSON field 'usersInfo.showAuthenticationRestrictions' is an unknown field.",
    );
  }
  const shown = users.map((user) => ({
    ...describe(user),
    ...(showAuthenticationRestrictions === true && readRestrictions(user)),
  }));
  if (server.lacks.has("mechanisms")) for (const user of shown) delete user["mechanisms"];
  return { users: shown, ok: 1 };
}

/** Every way of requesting more than the plain answer is known; not all are answered. */
const infoFields = z
  .object({
    showCredentials: z.boolean(),
    showCustomData: z.boolean(),
    showPrivileges: z.boolean(),
    showAuthenticationRestrictions: z.boolean(),
    filter: z.record(z.string(), z.unknown()),
  })
  .partial();

function readRestrictions({ roles, restrictions }: StoredUser): Document {
  return {
    authenticationRestrictions: restrictions,
    inheritedRoles: roles,
    inheritedPrivileges: [],
    inheritedAuthenticationRestrictions: [],
  };
}

const oneUser = z.union([z.string(), z.object({ user: z.string(), db: z.string() })]);
const usersInfoArgument = z.union([
  z.literal(1),
  z.object({ forAllDBs: z.literal(true) }),
  z.array(oneUser),
  oneUser,
]);

/** The users that were requested by name; undefined where all were requested. */
function askedFor(argument: unknown, database: string) {
  const parsed = usersInfoArgument.safeParse(argument);
  if (!parsed.success) {
    throw refused("BadValue", "User and role names must be either strings or objects");
  }
  if (parsed.data === 1) return undefined;
  if (typeof parsed.data === "object" && "forAllDBs" in parsed.data) return undefined;
  return [parsed.data]
    .flat()
    .map((one) => (typeof one === "string" ? { user: one, db: database } : one));
}

function describe({ user, db, roles, credentials }: StoredUser): Record<string, unknown> {
  return { _id: `${db}.${user}`, user, db, roles, mechanisms: credentials.map((c) => c.mechanism) };
}

function getName({ command }: Call): string {
  const [verb = "", name] = Object.entries(command)[0] ?? [];
  if (typeof name === "string") return name;
  throw refused("TypeMismatch", `BSON field '${verb}.${verb}' is the wrong type`);
}

function isAny(call: Call, action: Action): boolean {
  return loggedIn(call).some((user) => isAllowed(user, action, call.database));
}

function demand(call: Call, allowed: boolean): void {
  if (allowed) return;
  const shown: Document = { ...call.command };
  if ("pwd" in shown && !call.server.faults.hostile) shown["pwd"] = "xxx";
  throw refused(
    "Unauthorized",
    `not authorized on ${call.database} to execute command ${JSON.stringify(shown)}`,
  );
}

function parseRoles(roles: z.infer<typeof userFields.roles>, db: string): Role[] {
  const parsed = roles.map((role) => (typeof role === "string" ? { role, db } : role));
  const unknown = parsed.find((role) => !isKnownRole(role.role));
  if (unknown) throw refused("RoleNotFound", `Could not find role: ${unknown.role}@${unknown.db}`);
  return parsed;
}

/** Without `mechanisms` the server makes all that are switched on, also for a user who had fewer before. */
function passwordCredentials(call: Call, user: string, fields: z.infer<typeof createFields>) {
  const { enabled } = call.server;
  const wanted = fields.mechanisms === undefined ? enabled : parseMechanisms(fields.mechanisms);
  const off = wanted.find((mechanism) => !enabled.includes(mechanism));
  if (off !== undefined) throw refused("BadValue", `${off} not supported in authMechanisms`);
  if (fields.digestPassword === false) {
    throw refused("BadValue", "Use of SCRAM-SHA-256 requires undigested passwords");
  }
  return makeCredentials(user, fields.pwd ?? "", wanted, call.server.iterations);
}

function parseMechanisms(names: readonly string[]): Mechanism[] {
  if (names.length === 0) throw refused("BadValue", "mechanisms field must not be empty");
  return names.map((name) => {
    const known = mechanisms.find((mechanism) => mechanism === name);
    if (known === undefined) throw refused("BadValue", `Unknown auth mechanism '${name}'`);
    return known;
  });
}

function fewerMechanisms(kept: StoredUser, names: readonly string[] | undefined) {
  if (names === undefined) return kept.credentials;
  const wanted = parseMechanisms(names);
  const remaining = kept.credentials.filter(({ mechanism }) => wanted.includes(mechanism));
  if (remaining.length < new Set(wanted).size) {
    throw refused("BadValue", "mechanisms field must be a subset of previously set mechanisms");
  }
  return remaining;
}

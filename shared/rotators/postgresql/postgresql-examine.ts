import { z } from "zod";
import type { Examination, Examine, Right } from "../rotator.ts";
import { isStandby } from "./postgresql-errors.ts";
import { describeAccount, type PostgresqlOptions } from "./postgresql-options.ts";
import { passwordSettings, readRules, refusesVerifiers } from "./postgresql-rules.ts";
import { knock, type Session } from "./postgresql-session.ts";
import { lookIfPermitted, lookInto } from "./postgresql-settings.ts";
import { compareTwins, describeUnread } from "./postgresql-twins.ts";
import { describeEncryption, readEncryption } from "./postgresql-verifier.ts";

/** Groups of managed services whose members may do more than the catalog says. */
const providerGroups = ["azure_pg_admin", "rds_superuser", "cloudsqlsuperuser", "alloydbsuperuser"];

/**
 * Reads the account ($1), the authority and the database from the catalog. Names come back quoted, for use in statements. A
 * connection limit counts client connections, without that of Keyturn. An authority that may not see the kind of a process gets NULL,
 * which counts.
 */
const question = `
  SELECT
    pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version,
    pg_catalog.pg_is_in_recovery() AS "isStandby",
    me.rolname::pg_catalog.text AS "myName",
    pg_catalog.quote_ident(me.rolname) AS me,
    me.rolsuper AS "amSuperuser",
    me.rolcreaterole AS "mayCreateRoles",
    EXISTS (
      SELECT FROM pg_catalog.pg_roles provider
      WHERE provider.rolname = ANY ($2::pg_catalog.text[])
        AND pg_catalog.pg_has_role(me.oid, provider.oid, 'MEMBER')
    ) AS "isProviderAdmin",
    coalesce(
      pg_catalog.current_setting('rds.restrict_password_commands', true), 'off'
    ) NOT IN ('off', '0', '') AS "isRestricted",
    pg_catalog.quote_ident($1::pg_catalog.text) AS quoted,
    (
      SELECT pg_catalog.json_object_agg(name, pg_catalog.current_setting(name, true))
      FROM pg_catalog.unnest($3::pg_catalog.text[]) AS name
    ) AS settings,
    account.oid IS NOT NULL AS "exists",
    account.oid = me.oid AS "isMe",
    account.rolsuper AS "isSuperuser",
    account.rolreplication AS "isReplication",
    account.rolcanlogin AS "mayLogIn",
    CASE WHEN account.rolvaliduntil <= pg_catalog.now()
      THEN account.rolvaliduntil::pg_catalog.text END AS "expiredAt",
    account.rolconnlimit AS "limit",
    (
      SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_stat_activity
      WHERE usesysid = account.oid AND pid <> pg_catalog.pg_backend_pid()
        AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender')
    ) AS connections,
    pg_catalog.pg_has_role(me.oid, account.oid, 'MEMBER WITH ADMIN OPTION') AS "hasAdminOption",
    pg_catalog.has_database_privilege(account.oid, db.oid, 'CONNECT') AS "mayConnect",
    pg_catalog.quote_ident(db.datname) AS database,
    db.datallowconn AS "takesConnections",
    db.datconnlimit AS "databaseLimit",
    (
      SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_stat_activity
      WHERE datid = db.oid AND pid <> pg_catalog.pg_backend_pid()
        AND coalesce(backend_type, 'client backend') = 'client backend'
    ) AS "databaseConnections",
    (
      SELECT pg_catalog.sum(setting::pg_catalog.int4 * CASE name WHEN 'max_connections' THEN 1 ELSE -1 END)::pg_catalog.int4
      FROM pg_catalog.pg_settings
      WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')
    ) AS "serverLimit",
    (
      SELECT pg_catalog.count(*)::pg_catalog.int4 FROM pg_catalog.pg_stat_activity
      WHERE pid <> pg_catalog.pg_backend_pid()
        AND coalesce(backend_type, 'client backend') = 'client backend'
    ) AS "serverConnections"
  FROM pg_catalog.pg_roles me
  JOIN pg_catalog.pg_database db ON db.datname = pg_catalog.current_database()
  LEFT JOIN pg_catalog.pg_roles account ON account.rolname = $1::pg_catalog.text
  WHERE me.rolname = current_user`;

const everybody = {
  version: z.int(),
  isStandby: z.boolean(),
  myName: z.string(),
  me: z.string(),
  amSuperuser: z.boolean(),
  mayCreateRoles: z.boolean(),
  isProviderAdmin: z.boolean(),
  isRestricted: z.boolean(),
  quoted: z.string(),
  settings: z.record(z.string(), z.string().nullable()),
};
const account = {
  isMe: z.boolean(),
  isSuperuser: z.boolean(),
  isReplication: z.boolean(),
  mayLogIn: z.boolean(),
  expiredAt: z.string().nullable(),
  limit: z.int(),
  connections: z.int(),
  hasAdminOption: z.boolean(),
  mayConnect: z.boolean(),
  database: z.string(),
  takesConnections: z.boolean(),
  databaseLimit: z.int(),
  databaseConnections: z.int(),
  serverLimit: z.int(),
  serverConnections: z.int(),
};
const answer = z.discriminatedUnion("exists", [
  z.object({ ...everybody, exists: z.literal(false) }),
  z.object({ ...everybody, exists: z.literal(true), ...account }),
]);

type Answer = z.output<typeof answer>;
type Found = Extract<Answer, { exists: true }>;

/** Undefined if the catalog of the server does not answer like that of PostgreSQL. */
async function askCatalog(session: Session, name: string): Promise<Answer | undefined> {
  const toArray = (items: readonly string[]) => `{${items.join(",")}}`;
  const values = [name, toArray(providerGroups), toArray(passwordSettings)];
  const [row] = await session.query(question, values);
  return answer.safeParse(row).data;
}

/** Queries the session of the authority, and begins a log-in as the account unless it has just logged in. */
export async function examineIn(
  session: Session,
  call: Examine<PostgresqlOptions>,
  signal: AbortSignal,
): Promise<Examination> {
  const { options, account: name, using, isProven, connectWithin, twin } = call;
  const found = await lookIfPermitted(session, name, () => askCatalog(session, name));
  const withWarnings = (warnings: readonly string[]) => warnings.length > 0 && { warnings };
  if (found === undefined) {
    const unread = describeUnread(name, twin);
    return { obstacles: [], right: { is: "likely" }, ...withWarnings(unread) };
  }
  if (found.isStandby) throw isStandby(describeAccount(options, name));
  const differences = twin === undefined ? [] : await compareTwins(session, name, twin);
  const refused = refusesVerifiers(options, found, name);
  const rules = readRules(options, found, name);
  const answer = {
    right:
      refused === undefined
        ? examineRight(found, name)
        : ({ is: "missing", why: refused } as const),
    ...(rules && { rules }),
  };
  // An account that examines itself has just logged in.
  if (isProven || using.as === "self") {
    return { obstacles: [], ...answer, ...withWarnings(differences) };
  }
  const obstacles = obstaclesIn(found, name);
  const warnings = [...differences];
  if (found.exists) {
    const { blocked, request } = await knock(options, name, signal, connectWithin);
    // A begun log-in adds nothing to what the catalog has shown. A server that requests the password does not block the account.
    if (blocked !== undefined && obstacles.length === 0) obstacles.push(blocked.message);
    warnings.push(...describeEncryption(options, readEncryption(request), name));
  }
  return { obstacles, ...answer, ...withWarnings(warnings) };
}

/** Pure: what prevents the account from logging in to this database, whatever its password. */
function obstaclesIn(found: Answer, name: string): string[] {
  const { quoted } = found;
  const who = `Account \`${name}\``;
  if (!found.exists) return [`${who} does not exist. Run: CREATE ROLE ${quoted} LOGIN.`];
  const { database, limit, databaseLimit } = found;
  // Limits and rights do not apply to a superuser.
  const isBound = !found.isSuperuser;
  const obstacles: readonly (readonly [isThere: boolean, sentence: string])[] = [
    [!found.mayLogIn, `${who} is not permitted to log in. Run: ALTER ROLE ${quoted} LOGIN.`],
    [
      found.expiredAt !== null,
      `${who} expired at ${found.expiredAt ?? ""}. Run: ALTER ROLE ${quoted} VALID UNTIL 'infinity'.`,
    ],
    [
      isBound && limit >= 0 && found.connections >= limit,
      `${who} has ${found.connections} of the ${limit} connections that its limit allows. ` +
        `Close some, or run: ALTER ROLE ${quoted} CONNECTION LIMIT -1.`,
    ],
    [
      isBound && !found.mayConnect,
      `${who} cannot connect to database \`${database}\`. Run: GRANT CONNECT ON DATABASE ${database} TO ${quoted}.`,
    ],
    [
      !found.takesConnections,
      `Database \`${database}\` accepts no connections, so ${name} cannot log in. ` +
        `Run: ALTER DATABASE ${database} ALLOW_CONNECTIONS true.`,
    ],
    [
      isBound && databaseLimit >= 0 && found.databaseConnections >= databaseLimit,
      `Database \`${database}\` has ${found.databaseConnections} of the ${databaseLimit} connections that its limit ` +
        `allows, so ${name} cannot log in. Close some, or run: ALTER DATABASE ${database} CONNECTION LIMIT -1.`,
    ],
    [
      isBound && found.serverConnections >= found.serverLimit,
      `The server has ${found.serverConnections} of the ${found.serverLimit} connections that it allows to accounts like ` +
        `${name}, so ${name} cannot log in. Close some, or raise max_connections.`,
    ],
  ];
  return obstacles.flatMap(([isThere, sentence]) => (isThere ? [sentence] : []));
}

/** Since version 16, CREATEROLE permits changes only of accounts with ADMIN OPTION. */
const adminOptionSince = 160_000;

/** Pure: whether the authority may change the account's password. */
function examineRight(found: Answer, name: string): Right {
  const fault = !found.exists ? undefined : missingRight(found);
  if (!found.exists) return { is: "likely" };
  if (fault === undefined) return { is: found.isRestricted ? "likely" : "proven" };
  // Managed services give the members of these groups other rights.
  if (found.isProviderAdmin) return { is: "likely" };
  return { is: "missing", why: `Account \`${name}\` cannot be changed: ${fault}` };
}

function missingRight(found: Found): string | undefined {
  const { me, quoted, myName } = found;
  if (found.amSuperuser) return undefined;
  if (found.isSuperuser) return `it is a superuser and \`${myName}\` is not. Use a superuser.`;
  if (found.version < adminOptionSince) {
    if (found.isReplication) {
      return `it has REPLICATION and \`${myName}\` is not a superuser. Use a superuser.`;
    }
    if (found.isMe || found.mayCreateRoles) return undefined;
    return `\`${myName}\` lacks CREATEROLE. Run: ALTER ROLE ${me} CREATEROLE.`;
  }
  if (found.isMe) return undefined;
  const missing = [
    ...(found.mayCreateRoles ? [] : [["CREATEROLE", `ALTER ROLE ${me} CREATEROLE`]]),
    ...(found.hasAdminOption
      ? []
      : [["ADMIN OPTION on it", `GRANT ${quoted} TO ${me} WITH ADMIN OPTION`]]),
  ];
  if (missing.length === 0) return undefined;
  const rights = missing.map(([right]) => right).join(" and ");
  const statements = missing.map(([, statement]) => statement).join("; ");
  return `\`${myName}\` lacks ${rights}. Run: ${statements}.`;
}

/** Which missing right was the reason of a refused change; undefined if the server does not say. */
export async function describeLackOfRight(
  session: Session,
  name: string,
): Promise<string | undefined> {
  const found = await lookInto(session, name, () => askCatalog(session, name));
  if (found === undefined) return undefined;
  const right = examineRight(found, name);
  return right.is === "missing" ? right.why : undefined;
}

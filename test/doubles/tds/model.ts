import { createHash } from "node:crypto";

/** What the server is: where its logins are, what it caches and which rules it enforces depend on it. */
export type TdsEdition = "sql-server" | "managed-instance" | "azure-sql-database";

/** Values of SERVERPROPERTY('EngineEdition'). */
export const engineEditions: Readonly<Record<TdsEdition, number>> = {
  "sql-server": 3,
  "managed-instance": 8,
  "azure-sql-database": 5,
};

export interface TdsLogin {
  readonly account: string;
  readonly password: string;
  /** Default true. */
  readonly enabled?: boolean;
  /** Default `master`. */
  readonly defaultDatabase?: string;
  readonly defaultLanguage?: string;
  /** A value of sys.server_principals.type. Default S, a SQL login. */
  readonly type?: "S" | "U" | "E";
  /** Hexadecimal digits. Default: derived from the name. */
  readonly sid?: string;
  /** CHECK_POLICY. Default true. */
  readonly policy?: boolean;
  readonly expired?: boolean;
  readonly mustChange?: boolean;
  /** DENY CONNECT SQL. */
  readonly denied?: boolean;
  /** Server roles, and server permissions such as ALTER ANY LOGIN. */
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
}

export interface TdsUser {
  readonly name: string;
  /** Of a contained user. */
  readonly password?: string;
  /** The login that it belongs to. Absent without a password: a user without a login. */
  readonly login?: string;
  /** A value of sys.database_principals.type. Default S. */
  readonly type?: "S" | "U" | "E" | "R";
  readonly roles?: readonly string[];
  /** Database permissions such as ALTER ANY USER. */
  readonly permissions?: readonly string[];
  /** Permissions on schemas, tables and columns. */
  readonly grants?: readonly TdsGrant[];
  /** Default `dbo`. */
  readonly defaultSchema?: string;
  /** Names of schemas and roles. */
  readonly owns?: readonly string[];
  /** The permission to connect. Default granted. */
  readonly connect?: "granted" | "denied" | "none";
}

export interface TdsGrant {
  readonly permission: string;
  /** A schema, a table in it, a column of that. */
  readonly on: readonly [schema: string, table?: string, column?: string];
  readonly state?: "G" | "D" | "W";
}

export interface TdsDatabaseOptions {
  readonly name: string;
  readonly users?: readonly TdsUser[];
  /** Everybody with a login may connect. */
  readonly guest?: boolean;
  readonly readOnly?: boolean;
}

export interface Login {
  readonly id: number;
  readonly account: string;
  readonly type: "S" | "U" | "E";
  readonly sid: string;
  readonly defaultDatabase: string;
  readonly defaultLanguage: string;
  readonly policy: boolean;
  readonly roles: Set<string>;
  readonly permissions: Set<string>;
  password: string;
  enabled: boolean;
  locked: boolean;
  expired: boolean;
  mustChange: boolean;
  denied: boolean;
  failures: number;
  /** User databases still judge so many log-ins by the login as it was. */
  lagging: { password: string; enabled: boolean; logins: number } | undefined;
}

export interface User {
  readonly id: number;
  readonly name: string;
  readonly type: "S" | "U" | "E" | "R";
  readonly sid: string | null;
  /** A value of sys.database_principals.authentication_type. */
  readonly authentication: 0 | 1 | 2 | 4;
  readonly roles: Set<string>;
  readonly permissions: Set<string>;
  readonly grants: readonly TdsGrant[];
  readonly defaultSchema: string;
  readonly owns: readonly string[];
  connect: "granted" | "denied" | "none";
  password: string | undefined;
}

/** `silent`: log-ins get no answer. `copying`: the target of a copy that is not complete. */
export type DatabaseState = "online" | "unavailable" | "silent" | "copying";

export interface Database {
  readonly name: string;
  readonly users: Map<string, User>;
  readonly guest: boolean;
  readOnly: boolean;
  state: DatabaseState;
  /** The most sessions that the service tier allows. */
  sessionLimit: number;
}

export interface TdsSession {
  readonly id: number;
  readonly account: string;
  /** Undefined for a contained user. */
  readonly login: Login | undefined;
  readonly user: User | undefined;
  readonly database: Database;
}

/** Everything that the server stores. */
export interface World {
  readonly name: string;
  readonly edition: TdsEdition;
  readonly logins: Map<string, Login>;
  readonly databases: Map<string, Database>;
  readonly sessions: Set<TdsSession>;
  /** The names of Microsoft Entra principals by the tokens with which they log in. */
  readonly entra: Map<string, string>;
  propagation: number;
  lockAfter: number;
  isEntraOnly: boolean;
  /** The most sessions of all databases: sp_configure 'user connections'. */
  userConnections: number;
}

/** The collation ignores case, and comparisons ignore blanks at the end. */
export const toKey = (name: string) => name.toLowerCase().replace(/ +$/, "");

const toSid = (name: string) =>
  createHash("sha256").update(toKey(name)).digest("hex").slice(0, 32).toUpperCase();

const FIRST_ID = 256;

export function makeLogin(login: TdsLogin, number: number): Login {
  return {
    id: FIRST_ID + number,
    account: login.account,
    type: login.type ?? "S",
    sid: (login.sid ?? toSid(login.account)).toUpperCase(),
    defaultDatabase: login.defaultDatabase ?? "master",
    defaultLanguage: login.defaultLanguage ?? "us_english",
    policy: login.policy ?? true,
    roles: new Set(login.roles),
    permissions: new Set(login.permissions),
    password: login.password,
    enabled: login.enabled ?? true,
    locked: false,
    expired: login.expired ?? false,
    mustChange: login.mustChange ?? false,
    denied: login.denied ?? false,
    failures: 0,
    lagging: undefined,
  };
}

export function makeDatabase({
  name,
  users = [],
  guest = false,
  readOnly = false,
}: TdsDatabaseOptions): Database {
  const database: Database = {
    name,
    users: new Map(),
    guest,
    readOnly,
    state: "online",
    sessionLimit: Infinity,
  };
  for (const user of users) addUser(database, user);
  return database;
}

const usual = {
  type: "S",
  grants: [],
  defaultSchema: "dbo",
  owns: [],
  connect: "granted",
} as const;

/** `logins`: of the server. A login that does not exist there yet gets the SID that follows from its name. */
export function addUser(
  { users }: Database,
  user: TdsUser,
  logins: ReadonlyMap<string, Login> = new Map(),
): void {
  const { name, password, login, type, grants, defaultSchema, owns, connect } = {
    ...usual,
    ...user,
  };
  const authentication =
    type === "E" ? 4 : password !== undefined ? 2 : login !== undefined ? 1 : 0;
  const known = login === undefined ? undefined : logins.get(toKey(login))?.sid;
  const sid = type === "R" ? null : (known ?? toSid(login ?? `${name} without login`));
  users.set(toKey(name), {
    id: users.size + 5,
    name,
    type,
    sid,
    authentication,
    roles: new Set(user.roles),
    permissions: new Set(user.permissions),
    grants,
    defaultSchema,
    owns,
    connect,
    password,
  });
}

export function isAzureDatabase({ edition }: Pick<World, "edition">): boolean {
  return edition === "azure-sql-database";
}

/** dbo of every database. */
export function isServerAdmin(session: TdsSession): boolean {
  return session.login?.roles.has("sysadmin") === true;
}

export function hasServerPermission(session: TdsSession, permission: string): boolean {
  return isServerAdmin(session) || session.login?.permissions.has(permission) === true;
}

const userManagers = ["db_owner", "db_accessadmin"];

export function hasDatabasePermission(session: TdsSession, permission: string): boolean {
  if (isServerAdmin(session)) return true;
  const { user } = session;
  if (user === undefined) return false;
  if (user.roles.has("db_owner") || user.permissions.has(permission)) return true;
  return permission === "ALTER ANY USER" && userManagers.some((role) => user.roles.has(role));
}

/** Whether the session may change every login, and so sees all of them. */
export function managesLogins(world: World, session: TdsSession): boolean {
  if (hasServerPermission(session, "ALTER ANY LOGIN")) return true;
  if (session.login?.roles.has("##MS_LoginManager##")) return true;
  return isAzureDatabase(world) && session.user?.roles.has("loginmanager") === true;
}

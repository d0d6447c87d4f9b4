import { findLogin } from "../logins.ts";
import {
  engineEditions,
  hasDatabasePermission,
  hasServerPermission,
  isAzureDatabase,
  isServerAdmin,
  toKey,
} from "../model.ts";
import { findName } from "./ids.ts";
import { error, type Scope, type Value } from "./scope.ts";

type Called = (parameters: readonly Value[], scope: Scope) => Value;

const text = (value: Value | undefined) => (typeof value === "string" ? value : "");

const maxQuoted = 128;

const functions: Readonly<Record<string, Called>> = {
  quotename: ([value = null, quote = "["]) => {
    if (value === null || String(value).length > maxQuoted) return null;
    if (quote === "'") return `'${String(value).replaceAll("'", "''")}'`;
    if (quote === "[") return `[${String(value).replaceAll("]", "]]")}]`;
    return null;
  },
  suser_sname: (_none, { session }) => session.account,
  original_login: (_none, { session }) => session.account,
  user_name: ([id], { session }) => {
    if (id !== undefined) return findName(id);
    return isServerAdmin(session) ? "dbo" : (session.user?.name ?? "guest");
  },
  suser_name: ([id]) => findName(id),
  schema_name: ([id]) => findName(id),
  object_schema_name: ([id]) => findName(id)?.split(".")[0] ?? null,
  object_name: ([id]) => findName(id)?.split(".")[1] ?? null,
  col_name: ([, id]) => findName(id),
  db_name: (_none, { session }) => session.database.name,
  database_principal_id: ([name], { session }) => {
    if (name === undefined) return isServerAdmin(session) ? 1 : (session.user?.id ?? 2);
    if (toKey(text(name)) === "guest") return 2;
    return session.database.users.get(toKey(text(name)))?.id ?? null;
  },
  suser_id: ([name], { world }) => findLogin(world, text(name))?.id ?? null,
  serverproperty: ([name], { world }) => {
    const properties: Readonly<Record<string, Value>> = {
      engineedition: engineEditions[world.edition],
      isintegratedsecurityonly: 0,
      isexternalauthenticationonly: world.isEntraOnly ? 1 : 0,
    };
    return properties[text(name).toLowerCase()] ?? null;
  },
  databasepropertyex: ([name, property], { world }) => {
    const database = world.databases.get(toKey(text(name)));
    if (database === undefined || text(property).toLowerCase() !== "updateability") return null;
    return database.readOnly ? "READ_ONLY" : "READ_WRITE";
  },
  loginproperty: ([name, property], { world }) => {
    const login = findLogin(world, text(name));
    if (login === undefined || text(property).toLowerCase() !== "islocked") return null;
    return login.locked ? 1 : 0;
  },
  is_srvrolemember: ([role, name], { world, session }) => {
    const login = name === undefined ? session.login : findLogin(world, text(name));
    if (login === undefined) return name === undefined ? 0 : null;
    // On Azure SQL Database, the administrator is a member of no such role.
    if (text(role) === "sysadmin" && isAzureDatabase(world)) return null;
    return login.roles.has(text(role)) ? 1 : 0;
  },
  is_rolemember: ([role], { world, session }) => {
    const exists = isAzureDatabase(world) && session.database.name === "master";
    if (text(role) === "loginmanager" && !exists) return null;
    return session.user?.roles.has(text(role)) === true ? 1 : 0;
  },
  has_perms_by_name: ([securable = null, kind = null, permission = null], scope) => {
    const isOnServer = securable === null && kind === null;
    if (isOnServer) return hasOnServer(text(permission), scope);
    return text(kind) === "DATABASE" ? hasInDatabase(text(permission), securable, scope) : null;
  },
};

const serverPermissions = [
  "ALTER ANY LOGIN",
  "CONTROL SERVER",
  "VIEW SERVER STATE",
  "VIEW SERVER PERFORMANCE STATE",
];
const databasePermissions = [
  "ALTER ANY USER",
  "VIEW DEFINITION",
  "VIEW DATABASE STATE",
  "VIEW DATABASE PERFORMANCE STATE",
];

/** NULL for a name that the server does not know. */
function hasOnServer(permission: string, { world, session }: Scope): Value {
  if (!serverPermissions.includes(permission)) return null;
  // The administrator of Azure SQL Database has its rights without these.
  if (isAzureDatabase(world)) return 0;
  return hasServerPermission(session, permission) ? 1 : 0;
}

/** The database must be quoted, and be the present one. */
function hasInDatabase(permission: string, securable: Value, { session }: Scope): Value {
  const [, name = ""] = /^\[((?:[^\]]|\]\])*)\]$/.exec(text(securable)) ?? [];
  const isHere = toKey(name.replaceAll("]]", "]")) === toKey(session.database.name);
  if (!isHere || !databasePermissions.includes(permission)) return null;
  return hasDatabasePermission(session, permission) ? 1 : 0;
}

export function callFunction(name: string, parameters: readonly Value[], scope: Scope): Value {
  const called = functions[name.toLowerCase()];
  if (called === undefined) {
    throw error(195, `'${name}' is not a recognized built-in function name.`, 15);
  }
  return called(parameters, scope);
}

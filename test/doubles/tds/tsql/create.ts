import { addLogin } from "../logins.ts";
import { addUser, hasDatabasePermission, isAzureDatabase, isServerAdmin, toKey } from "../model.ts";
import { parseLiteral } from "./alter.ts";
import { type Reader, syntaxError } from "./lex.ts";
import { error, type Scope } from "./scope.ts";

function requireAdmin({ session }: Scope): void {
  if (!isServerAdmin(session))
    throw error(15_247, "User does not have permission to perform this action.");
}

/** `CREATE LOGIN …`, after these two words. */
export function createLogin(reader: Reader, scope: Scope): void {
  const { world, session } = scope;
  const account = reader.word();
  const isExternal = reader.takes("FROM", "EXTERNAL", "PROVIDER");
  if (!isExternal) reader.expect("WITH", "PASSWORD", "=");
  const password = isExternal ? "" : parseLiteral(reader);
  const sid = reader.takes(",", "SID", "=") ? reader.take().text.slice(2) : undefined;
  requireAdmin(scope);
  if (isAzureDatabase(world) && session.database.name !== "master") {
    throw error(5001, "User must be in the master database.");
  }
  if (world.logins.has(toKey(account))) {
    throw error(15_025, `The server principal '${account}' already exists.`);
  }
  const type = isExternal ? ({ type: "E" } as const) : {};
  addLogin(world, { account, password, ...type, ...(sid !== undefined && { sid }) });
}

/** `CREATE USER …`, after these two words. */
export function createUser(reader: Reader, scope: Scope): void {
  const { world, session } = scope;
  const name = reader.word();
  requireAdmin(scope);
  const { database } = session;
  if (reader.takes("FROM", "EXTERNAL", "PROVIDER")) {
    addUser(database, { name, type: "E" });
  } else if (reader.takes("WITH", "PASSWORD", "=")) {
    addUser(database, { name, password: parseLiteral(reader) });
  } else {
    if (!reader.takes("FOR", "LOGIN")) reader.expect("FROM", "LOGIN");
    const login = reader.word();
    if (!world.logins.has(toKey(login))) {
      throw error(15_007, `'${login}' is not a valid login or you do not have permission.`);
    }
    addUser(database, { name, login }, world.logins);
  }
}

const onServer = [
  "ALTER ANY LOGIN",
  "CONTROL SERVER",
  "CONNECT SQL",
  "VIEW SERVER STATE",
  "VIEW SERVER PERFORMANCE STATE",
];
const inDatabase = [
  "ALTER ANY USER",
  "CONNECT",
  "KILL DATABASE CONNECTION",
  "VIEW DATABASE STATE",
  "VIEW DATABASE PERFORMANCE STATE",
  "VIEW DEFINITION",
];

/** `GRANT …`, after that word. */
export function grant(reader: Reader, scope: Scope): void {
  const permissions: string[] = [];
  do permissions.push(parsePermission(reader));
  while (reader.takes(","));
  reader.expect("TO");
  const name = reader.word();
  for (const permission of permissions) grantOne(permission, name, scope);
}

function parsePermission(reader: Reader): string {
  const words: string[] = [];
  while (reader.next.is === "word" && reader.next.text.toUpperCase() !== "TO") {
    words.push(reader.word().toUpperCase());
  }
  return words.join(" ");
}

function grantOne(permission: string, name: string, scope: Scope): void {
  const { world, session } = scope;
  const noOne = error(
    15_151,
    `Cannot find the user '${name}', because it does not exist or you do not have permission.`,
  );
  if (onServer.includes(permission)) {
    requireAdmin(scope);
    if (isAzureDatabase(world) || session.database.name !== "master") {
      const message =
        "Permissions at the server scope can only be granted when the current database is master";
      throw error(4621, message);
    }
    const login = world.logins.get(toKey(name));
    if (login === undefined) throw noOne;
    if (permission === "CONNECT SQL") login.denied = false;
    login.permissions.add(permission);
    return;
  }
  if (!inDatabase.includes(permission)) throw syntaxError(permission);
  const user = session.database.users.get(toKey(name));
  if (user === undefined || !hasDatabasePermission(session, "CONTROL")) throw noOne;
  if (permission === "CONNECT") user.connect = "granted";
  user.permissions.add(permission);
}

/** `ALTER SERVER ROLE …`, after these three words. */
export function alterServerRole(reader: Reader, scope: Scope): void {
  const { world, session } = scope;
  const role = reader.word();
  reader.expect("ADD", "MEMBER");
  const login = world.logins.get(toKey(reader.word()));
  requireAdmin(scope);
  const isMaster = session.database.name === "master";
  if (!isMaster || !role.startsWith("##MS_") || login === undefined) {
    throw error(
      15_151,
      `Cannot alter the server role '${role}', because it does not exist or you do not have permission.`,
    );
  }
  login.roles.add(role);
}

import { tdsErrors, type TdsRefusal } from "./errors.ts";
import type { Login7 } from "./login7.ts";
import {
  type Database,
  isAzureDatabase,
  type Login,
  makeLogin,
  type TdsLogin,
  type TdsSession,
  toKey,
  type User,
  type World,
} from "./model.ts";

export type { TdsLogin } from "./model.ts";

/** The result of a log-in: a session without its number, or the errors of the server in order. */
export type LoginResult =
  | { readonly opened: Omit<TdsSession, "id">; readonly errors?: undefined }
  | { readonly errors: readonly [TdsRefusal, ...TdsRefusal[]] };

export function addLogin(world: World, login: TdsLogin): void {
  world.logins.set(toKey(login.account), makeLogin(login, world.logins.size));
}

/** Names ignore case; clients may write `account@server`, which the gateway of Azure SQL takes off. */
export function findLogin(world: World, account: string): Login | undefined {
  const key = toKey(account);
  return world.logins.get(key) ?? world.logins.get(key.replace(/@[^@]*$/, ""));
}

/** Remembers the login as user databases still know it. */
export function changeLogin(
  world: World,
  login: Login,
  change: { readonly password?: string; readonly enabled?: boolean },
): void {
  const { password, enabled } = login;
  login.lagging ??= { password, enabled, logins: world.propagation };
  Object.assign(login, change);
  if (login.lagging.logins <= 0) login.lagging = undefined;
}

function stateInForce(login: Login): { readonly password: string; readonly enabled: boolean } {
  const { lagging } = login;
  if (lagging === undefined) return login;
  lagging.logins -= 1;
  if (lagging.logins <= 0) login.lagging = undefined;
  return lagging;
}

export function checkLogin(world: World, asked: Login7): LoginResult {
  const who = identify(world, asked);
  const login = findLogin(world, who.account);
  const wanted = asked.database || (login?.defaultDatabase ?? "master");
  const database = world.databases.get(toKey(wanted));
  const closed = findFull(world, database) ?? findClosed(world, database, asked.token);
  if (closed) return { errors: [closed] };
  const contained = findContained(database, who.account, asked.token === undefined ? 2 : 4);
  if (contained && database) return checkContained(contained, database, asked, who.shown);
  return checkServerLogin(world, login, asked, { shown: who.shown, wanted, database });
}

interface Wanted {
  readonly shown: string;
  readonly wanted: string;
  readonly database: Database | undefined;
}

function checkServerLogin(
  world: World,
  login: Login | undefined,
  asked: Login7,
  { shown, wanted, database }: Wanted,
): LoginResult {
  const refused = findLoginError(world, login, asked);
  if (refused || login === undefined) return { errors: [refused ?? tdsErrors.loginFailed(shown)] };
  const entered = database && enter(world, login, database);
  if (database && entered) {
    return { opened: { account: login.account, login, user: entered.user, database } };
  }
  // The real server sends both, in this order; clients that keep only the last see 18456.
  return { errors: [tdsErrors.noSuchDatabase(wanted), tdsErrors.loginFailed(shown)] };
}

/** The account, and how errors name it. */
function identify({ entra }: World, { token, account }: Login7) {
  return token === undefined
    ? { account, shown: account }
    : { account: entra.get(token) ?? "", shown: "<token-identified principal>" };
}

/** The limits count every session, and are checked before the credential. */
function findFull(
  { sessions, userConnections }: World,
  database: Database | undefined,
): TdsRefusal | undefined {
  if (sessions.size >= userConnections) return tdsErrors.userConnections(userConnections);
  const here = [...sessions].filter((one) => one.database === database).length;
  return database && here >= database.sessionLimit
    ? tdsErrors.sessionLimit(database.sessionLimit)
    : undefined;
}

function findClosed(
  { name, isEntraOnly }: World,
  database: Database | undefined,
  token: string | undefined,
): TdsRefusal | undefined {
  if (database?.state === "unavailable" || database?.state === "copying") {
    return tdsErrors.unavailable(database.name, name);
  }
  return isEntraOnly && token === undefined ? tdsErrors.entraOnly("") : undefined;
}

/** The database decides; the server's logins are not asked. */
function checkContained(
  user: User,
  database: Database,
  { token, password }: Login7,
  shown: string,
): LoginResult {
  const isProven = token !== undefined || user.password === password;
  if (!isProven || user.connect !== "granted") return { errors: [tdsErrors.loginFailed(shown)] };
  return { opened: { account: user.name, login: undefined, user, database } };
}

function findContained(
  database: Database | undefined,
  account: string,
  authentication: User["authentication"],
): User | undefined {
  const user = database?.users.get(toKey(account));
  return user?.authentication === authentication ? user : undefined;
}

/** The user as which the login enters the database; none for dbo and guest. Undefined if it may not enter. */
function enter(
  world: World,
  login: Login,
  { users, guest, name }: Database,
): { readonly user: User | undefined } | undefined {
  if (login.roles.has("sysadmin")) return { user: undefined };
  const user = [...users.values()].find(({ sid }) => sid !== null && sid === login.sid);
  if (user !== undefined) return user.connect === "granted" ? { user } : undefined;
  const isOpen = guest || (name === "master" && !isAzureDatabase(world));
  return isOpen || login.roles.has("##MS_DatabaseConnector##") ? { user: undefined } : undefined;
}

function findLoginError(
  world: World,
  login: Login | undefined,
  asked: Login7,
): TdsRefusal | undefined {
  if (login?.type !== (asked.token === undefined ? "S" : "E")) {
    return tdsErrors.loginFailed(
      asked.token === undefined ? asked.account : "<token-identified principal>",
    );
  }
  return asked.token === undefined ? findPasswordError(world, login, asked) : undefined;
}

function findPasswordError(world: World, login: Login, asked: Login7): TdsRefusal | undefined {
  if (login.locked) return tdsErrors.locked(asked.account);
  const { password, enabled } = stateInForce(login);
  if (password !== asked.password) {
    login.failures += 1;
    login.locked = login.failures >= world.lockAfter;
    return tdsErrors.loginFailed(asked.account);
  }
  // These are reported only to a client with the password.
  if (!enabled) return tdsErrors.disabled(asked.account);
  if (login.denied) return tdsErrors.loginFailed(asked.account);
  if (login.mustChange) return tdsErrors.mustChange(asked.account);
  if (login.expired) return tdsErrors.expired(asked.account);
  login.failures = 0;
  return undefined;
}

import { changeLogin } from "../logins.ts";
import {
  hasDatabasePermission,
  hasServerPermission,
  isAzureDatabase,
  type Login,
  managesLogins,
  toKey,
  type User,
  type World,
} from "../model.ts";
import { type Reader, type SqlError, syntaxError } from "./lex.ts";
import { error, type Scope } from "./scope.ts";

interface NewPassword {
  readonly password: string;
  readonly old: string | undefined;
}

/** `PASSWORD = '…' [OLD_PASSWORD = '…']`, after WITH. */
function parsePassword(reader: Reader): NewPassword {
  reader.expect("PASSWORD", "=");
  const password = parseLiteral(reader);
  const old = reader.takes("OLD_PASSWORD", "=") ? parseLiteral(reader) : undefined;
  return { password, old };
}

export function parseLiteral(reader: Reader): string {
  const token = reader.take();
  if (token.is !== "string") throw syntaxError(token.text);
  return token.text;
}

const cannot = (what: string, name: string): SqlError =>
  error(
    15_151,
    `Cannot alter the ${what} '${name}', because it does not exist or you do not have permission.`,
  );

/** What ALTER LOGIN does. */
type LoginChange =
  | ({ readonly is: "password" } & NewPassword)
  | { readonly is: "enabled" | "policy"; readonly on: boolean };

/** `ALTER LOGIN …`, after these two words. */
export function alterLogin(reader: Reader, scope: Scope): void {
  const { world, session } = scope;
  const name = reader.word();
  const change = parseLoginChange(reader);
  if (reader.next.is !== "end") throw syntaxError(reader.next.text);
  if (isAzureDatabase(world) && session.database.name !== "master") {
    throw error(5001, "User must be in the master database.");
  }
  const login = world.logins.get(toKey(name));
  if (login === undefined || !mayMake(change, login, scope)) throw cannot("login", name);
  if (change.is === "password") setLoginPassword(world, login, change);
  else if (change.is === "enabled") changeLogin(world, login, { enabled: change.on });
  else if (!change.on) Object.assign(login, { locked: false, failures: 0 });
}

function parseLoginChange(reader: Reader): LoginChange {
  if (reader.takes("ENABLE")) return { is: "enabled", on: true };
  if (reader.takes("DISABLE")) return { is: "enabled", on: false };
  reader.expect("WITH");
  if (!reader.takes("CHECK_POLICY", "=")) return { is: "password", ...parsePassword(reader) };
  if (reader.takes("ON")) return { is: "policy", on: true };
  reader.expect("OFF");
  return { is: "policy", on: false };
}

/** With its old password, a login may change its own. */
function mayMake(change: LoginChange, login: Login, scope: Scope): boolean {
  const hasOld = change.is === "password" && change.old !== undefined;
  return (hasOld && login === scope.session.login) || mayChange(scope, login);
}

function mayChange({ world, session }: Scope, login: Login): boolean {
  if (!managesLogins(world, session)) return false;
  return !login.roles.has("sysadmin") || hasServerPermission(session, "CONTROL SERVER");
}

function setLoginPassword(world: World, login: Login, { password, old }: NewPassword): void {
  if (old !== undefined && old !== login.password) throw cannot("login", login.account);
  if (login.policy || isAzureDatabase(world)) checkComplexity(world, password, login.account);
  changeLogin(world, login, { password });
  Object.assign(login, { expired: false, mustChange: false });
}

/** `ALTER USER …`, after these two words. */
export function alterUser(reader: Reader, { world, session }: Scope): void {
  const name = reader.word();
  reader.expect("WITH");
  const { password, old } = parsePassword(reader);
  if (reader.next.is !== "end") throw syntaxError(reader.next.text);
  const { database } = session;
  if (database.readOnly) {
    throw error(
      3906,
      `Failed to update database "${database.name}" because the database is read-only.`,
    );
  }
  const user: User | undefined = database.users.get(toKey(name));
  const isOwn = user === session.user && old !== undefined;
  const mayChangeIt = isOwn || hasDatabasePermission(session, "ALTER ANY USER");
  if (user?.password === undefined || !mayChangeIt) throw cannot("user", name);
  if (old !== undefined && old !== user.password) throw cannot("user", name);
  checkComplexity(world, password, user.name);
  user.password = password;
}

/** Azure has one number for every rule, and other servers have one for each. */
function checkComplexity(world: World, password: string, account: string): void {
  const azure = "The password does not meet policy requirements because it is not complex enough.";
  const refuse = (number: number, message: string) =>
    isAzureDatabase(world)
      ? error(40_632, `Password validation failed. ${azure}`)
      : error(number, `Password validation failed. ${message}`);
  if (password.length < 8) {
    const message =
      "The password does not meet the operating system policy requirements because it is too short.";
    throw refuse(15_116, message);
  }
  const classes = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((one) => one.test(password));
  const hasName = account.length > 2 && password.toLowerCase().includes(account.toLowerCase());
  if (classes.length >= 3 && !hasName) return;
  throw refuse(
    15_118,
    "The password does not meet the operating system policy requirements because it is not complex enough.",
  );
}

import type { Examination, Right } from "../rotator.ts";
import type { Account } from "./azure-sql-account.ts";
import { isAzureDatabase, type ServerFacts, type Survey } from "./azure-sql-catalog.ts";

/** The account and the authority of one server. */
export interface Concern {
  readonly name: string;
  readonly account: Account;
  readonly survey: Survey;
  /** The name of the authority; undefined for the account itself. */
  readonly authority: string | undefined;
  readonly contained: boolean;
}

/** dbo has every right in its database. */
const dbo = 1;

/** Pure: whether the authority may change logins, and so sees all of them. */
export function mayChangeLogins({ facts, rights }: Pick<Survey, "facts" | "rights">): boolean {
  if (rights === undefined) return false;
  if (rights.mayAlterLogins) return true;
  if (!isAzureDatabase(facts)) return false;
  return rights.managesLogins || rights.isLoginManager || rights.myId === dbo;
}

/** Pure: what prevents log-ins, and whether the authority may change the account. */
export function examineAccount(concern: Concern): Examination {
  const { account } = concern;
  return { obstacles: findObstacles(concern), right: examineRight(concern, account) };
}

function examineRight(concern: Concern, account: Account): Right {
  const { name } = concern;
  if (account.is === "refused") return { is: "missing", why: account.why };
  if (concern.authority === undefined && account.is !== "unseen") return { is: "proven" };
  const lack = account.is === "unseen" ? findLackToSee(concern) : findLack(concern, account.is);
  if (lack !== undefined) {
    return { is: "missing", why: `Account \`${name}\` cannot be changed: ${lack}` };
  }
  return { is: account.is === "unseen" ? "likely" : "proven" };
}

function findLackToSee(concern: Concern): string | undefined {
  const isSeen = concern.contained
    ? concern.survey.facts.mayAlterUsers
    : mayChangeLogins(concern.survey);
  if (isSeen) return undefined;
  const lack = findLack(concern, concern.contained ? "user" : "login");
  return `it does not exist, or is hidden: ${lack ?? "its name was not found."}`;
}

function findLack({ authority, survey }: Concern, is: "login" | "user"): string | undefined {
  const { facts, login, rights } = survey;
  const who = `\`${authority ?? facts.myLogin}\``;
  if (is === "user") {
    if (facts.mayAlterUsers) return undefined;
    return `${who} lacks ALTER ANY USER in database \`${facts.database}\`. Run there: GRANT ALTER ANY USER TO ${describeUser(facts)}.`;
  }
  const me = facts.quotedLogin;
  if (isAzureDatabase(facts)) {
    if (mayChangeLogins(survey)) return undefined;
    const member = `ALTER SERVER ROLE ##MS_LoginManager## ADD MEMBER ${me}`;
    return rights === undefined
      ? `${who} cannot open master, which has the logins. Run there: CREATE USER ${me} FOR LOGIN ${me}; ${member}.`
      : `${who} lacks the role ##MS_LoginManager##. Run in master: ${member}.`;
  }
  if (!mayChangeLogins(survey)) {
    return `${who} lacks ALTER ANY LOGIN. Run: GRANT ALTER ANY LOGIN TO ${me}.`;
  }
  return login?.isSysadmin === true && rights?.controlsServer !== true
    ? `it is a sysadmin, and ${who} lacks CONTROL SERVER. Run: GRANT CONTROL SERVER TO ${me}.`
    : undefined;
}

/** The user of the authority in the database. A login without a user of its own acts as guest there. */
export function describeUser({ quotedUser, myUser, quotedLogin }: ServerFacts): string {
  return quotedUser === null || myUser === "guest" ? quotedLogin : quotedUser;
}

/**
 * A login that is disabled, or whose password has expired or must be changed, is no obstacle: the change repairs that. A log-in with the
 * right password shows that a person has disabled it.
 */
function findObstacles(concern: Concern): string[] {
  const { name, account, survey } = concern;
  const { facts, login, isDenied } = survey;
  const { quoted, quotedDatabase, database } = facts;
  const who = `Account \`${name}\``;
  if (account.is === "refused") return [];
  if (account.is === "unseen") {
    if (findLackToSee(concern) !== undefined) return [];
    const create = concern.contained ? `CREATE USER ${quoted}` : `CREATE LOGIN ${quoted}`;
    return [`${who} does not exist. Run: ${create} WITH PASSWORD = '…'.`];
  }
  const isLogin = account.is === "login";
  const access = findAccess(survey, isLogin);
  const enter = `${who} cannot open database \`${database}\``;
  const obstacles: readonly (readonly [isThere: boolean, sentence: string])[] = [
    [
      facts.isEntraOnly,
      `${who} cannot log in: the server accepts only Microsoft Entra log-ins. Switch Entra-only authentication off, or remove the target.`,
    ],
    [
      facts.isWindowsOnly,
      `${who} cannot log in: the server accepts only Windows log-ins. Set its authentication mode to SQL Server and Windows.`,
    ],
    [
      isLogin && login?.isLocked === true,
      `${who} is locked after too many wrong passwords. Run: ALTER LOGIN ${quoted} WITH CHECK_POLICY = OFF; ` +
        `ALTER LOGIN ${quoted} WITH CHECK_POLICY = ON.`,
    ],
    [
      isLogin && isDenied,
      `${who} is denied to connect to the server. Run: GRANT CONNECT SQL TO ${quoted}.`,
    ],
    [
      access === "no user",
      `${enter}: it has no user there. Run in ${quotedDatabase}: CREATE USER ${quoted} FOR LOGIN ${quoted}.`,
    ],
    [
      access === "denied",
      `${enter}: its user there may not connect. Run in ${quotedDatabase}: GRANT CONNECT TO ${quoted}.`,
    ],
  ];
  return obstacles.flatMap(([isThere, sentence]) => (isThere ? [sentence] : []));
}

/** Whether the account may open the database. "unknown" if the authority cannot see that. */
function findAccess(
  { connect, login }: Survey,
  isLogin: boolean,
): "open" | "no user" | "denied" | "unknown" {
  if (connect === undefined) return "unknown";
  if (isLogin && (login?.isSysadmin === true || login?.isConnector === true)) return "open";
  const { userId, found } = connect;
  if (userId === dbo) return "open";
  const has = (isOwn: boolean, states: readonly string[]) =>
    found.some(({ id, state }) => (id === userId) === isOwn && states.includes(state));
  const granted = ["G", "W"];
  if (userId === undefined) return has(false, granted) ? "open" : "no user";
  return has(true, granted) ? "open" : "denied";
}

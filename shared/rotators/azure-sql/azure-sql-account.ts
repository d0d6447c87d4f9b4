import type { Survey } from "./azure-sql-catalog.ts";

/** What an account is, or in a sentence why Keyturn does not change it. */
export type Account =
  | { readonly is: "login"; readonly sid: string; readonly isDisabled: boolean }
  | { readonly is: "user" }
  | { readonly is: "refused"; readonly why: string }
  /** It does not exist, or the authority cannot see it. */
  | { readonly is: "unseen" };

/** Values of sys.database_principals.authentication_type. */
const byInstance = 1;
const byDatabase = 2;

const kinds: Readonly<Record<string, string>> = {
  U: "a Windows login",
  G: "a Windows group",
  E: "a Microsoft Entra principal",
  X: "a Microsoft Entra group",
  C: "mapped to a certificate",
  K: "mapped to an asymmetric key",
  R: "a role",
  A: "an application role",
};
const sqlType = "S";

/**
 * Pure: what the account is. `contained`: the options say that it must be a contained user. `seesLogins`: a login that was not found does
 * not exist.
 */
export function classify(
  { user, login, facts }: Pick<Survey, "user" | "login" | "facts">,
  name: string,
  { contained, seesLogins }: { readonly contained: boolean; readonly seesLogins: boolean },
): Account {
  const who = `Account \`${name}\``;
  const { database } = facts;
  const refused = (why: string): Account => ({
    is: "refused",
    why: `${who} cannot be changed: ${why}`,
  });
  const foreign = [login, user].find((one) => one !== undefined && one.type !== sqlType);
  if (foreign !== undefined) {
    const what = kinds[foreign.type] ?? "not an account with a password";
    return refused(`it is ${what}, which has no password in SQL Server. Remove it from the target.`);
  }
  const isContained = user?.authentication === byDatabase;
  if (contained) {
    if (isContained) return { is: "user" };
    const found = user ?? login;
    return found === undefined
      ? { is: "unseen" }
      : refused(
          `it is not a contained user of database \`${database}\`. Remove options.contained, or create the user WITH PASSWORD.`,
        );
  }
  if (isContained) {
    if (login === undefined) return { is: "user" };
    return refused(
      `it is both a contained user of database \`${database}\` and a login, with two passwords. ` +
        "Set options.contained: true for the user, or options.database to another database for the login.",
    );
  }
  const isCertain = login !== undefined || seesLogins;
  if (user !== undefined && isCertain && user.sid !== login?.sid) {
    return refused(describeOtherUser(user.authentication === byInstance, database));
  }
  if (login === undefined) return { is: "unseen" };
  return { is: "login", sid: login.sid, isDisabled: login.isDisabled };
}

function describeOtherUser(isMapped: boolean, database: string): string {
  return isMapped
    ? `the user of this name in database \`${database}\` belongs to a login of another name or to none. Name the login in the target, ` +
        "or repair the user with ALTER USER … WITH LOGIN."
    : `the user of this name in database \`${database}\` has no login. Name a login in the target, or drop the user.`;
}


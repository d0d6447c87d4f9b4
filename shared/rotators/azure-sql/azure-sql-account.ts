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

type Found = Pick<Survey, "user" | "login" | "facts">;

/** How certain the catalog is: `contained` by the options; `seesLogins`: a login that was not found does not exist. */
export interface Certainty {
  readonly contained: boolean;
  readonly seesLogins: boolean;
}

/** Pure: what the account is. */
export function classify(found: Found, name: string, certainty: Certainty): Account {
  const why = findForeign(found) ?? findAmbiguity(found, certainty);
  if (why !== undefined) {
    return { is: "refused", why: `Account \`${name}\` cannot be changed: ${why}` };
  }
  const { user, login } = found;
  if (user?.authentication === byDatabase) return { is: "user" };
  if (login === undefined || certainty.contained) return { is: "unseen" };
  return { is: "login", sid: login.sid, isDisabled: login.isDisabled };
}

function findForeign({ user, login }: Found): string | undefined {
  const foreign = [login, user].find((one) => one !== undefined && one.type !== sqlType);
  if (foreign === undefined) return undefined;
  const what = kinds[foreign.type] ?? "not an account with a password";
  return `it is ${what}, which has no password in SQL Server. Remove it from the target.`;
}

function findAmbiguity(found: Found, { contained, seesLogins }: Certainty): string | undefined {
  const { user, login, facts } = found;
  const isContained = user?.authentication === byDatabase;
  if (contained) {
    return isContained || (user ?? login) === undefined
      ? undefined
      : `it is not a contained user of database \`${facts.database}\`. Remove options.contained, or create the user WITH PASSWORD.`;
  }
  if (isContained) {
    return login === undefined
      ? undefined
      : `it is both a contained user of database \`${facts.database}\` and a login, with two passwords. ` +
          "Set options.contained: true for the user, or options.database to another database for the login.";
  }
  return login !== undefined || seesLogins ? findOtherUser(found) : undefined;
}

/** The user of this name, if it is not the user of the login of this name. */
function findOtherUser({ user, login, facts: { database } }: Found): string | undefined {
  if (user === undefined || user.sid === login?.sid) return undefined;
  const here = `the user of this name in database \`${database}\``;
  return user.authentication === byInstance
    ? `${here} belongs to a login of another name or to none. Name the login in the target, or repair the user with ALTER USER … WITH LOGIN.`
    : `${here} has no login. Name a login in the target, or drop the user.`;
}

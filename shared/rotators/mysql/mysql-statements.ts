import { toNativeForm } from "./mysql-hashes.ts";

/** A statement with a placeholder for each name and password. */
export interface Statement {
  readonly text: string;
  readonly values: readonly string[];
}

/** An account as statements name it: a name at a host, or the account of the session. */
export type AccountRef = { readonly account: string; readonly host: string } | "me";

/** What a change does to one account. */
export interface AccountChange {
  readonly named: AccountRef;
  readonly password: string;
  /** The first password becomes the second one. */
  readonly retains?: boolean;
  /** The server must refuse the change if this is not the first password. Only for the account of the session. */
  readonly replaces?: string;
}

/**
 * Pure: one statement for all accounts. MySQL changes all of them or none, and writes no password to its logs. It keeps the plugin of
 * each account, and with it the second password.
 */
export function alterUsers(parts: readonly AccountChange[]): Statement {
  const each = parts.map(({ named, password, retains = false, replaces }) => ({
    text: [
      `${toText(named)} IDENTIFIED BY ?`,
      ...(replaces === undefined ? [] : ["REPLACE ?"]),
      ...(retains ? ["RETAIN CURRENT PASSWORD"] : []),
    ].join(" "),
    values: [...toValues(named), password, ...(replaces === undefined ? [] : [replaces])],
  }));
  return join(each);
}

/** Pure: removes the second passwords. */
export function discardSecond(accounts: readonly AccountRef[]): Statement {
  return join(
    accounts.map((named) => ({
      text: `${toText(named)} DISCARD OLD PASSWORD`,
      values: toValues(named),
    })),
  );
}

/**
 * Pure: one statement of MariaDB for all accounts. It names the plugin, which would otherwise become the default one. MariaDB writes
 * the statement to its logs, so it contains the stored form, unless rules of the server must see the password.
 */
export function alterMariadbUsers(
  accounts: readonly { readonly named: Exclude<AccountRef, "me">; readonly plugin: string }[],
  password: string,
  hasRules: boolean,
): Statement {
  return join(
    accounts.map(({ named, plugin }) => {
      const isHashed = plugin === nativePlugin && !hasRules;
      return {
        text: `${toText(named)} IDENTIFIED VIA ${identifiers[plugin] ?? nativePlugin} USING ${isHashed ? "?" : "PASSWORD(?)"}`,
        values: [...toValues(named), isHashed ? toNativeForm(password) : password],
      };
    }),
  );
}

/** Pure: MariaDB permits an account without rights no other statement about itself. */
export function setOwnMariadbPassword(password: string, isHashed: boolean): Statement {
  return isHashed
    ? { text: "SET PASSWORD = ?", values: [toNativeForm(password)] }
    : { text: "SET PASSWORD = PASSWORD(?)", values: [password] };
}

export const nativePlugin = "mysql_native_password";
/** Names of plugins are not strings, so statements contain these words only. */
const identifiers: Readonly<Record<string, string>> = {
  [nativePlugin]: nativePlugin,
  caching_sha2_password: "caching_sha2_password",
};

const toText = (named: AccountRef): string => (named === "me" ? "USER()" : "?@?");
const toValues = (named: AccountRef): readonly string[] =>
  named === "me" ? [] : [named.account, named.host];

function join(parts: readonly Statement[]): Statement {
  return {
    text: `ALTER USER ${parts.map(({ text }) => text).join(", ")}`,
    values: parts.flatMap(({ values }) => values),
  };
}

/** A name for statements that a person runs. A doubled quote is right in every SQL mode. */
function quote(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}

export const quoteAccount = (account: string, host: string): string =>
  `${quote(account)}@${quote(host)}`;

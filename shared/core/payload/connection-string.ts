import { type Field, type Fields, takeOnlyField } from "./field.ts";
import { readLoginPairs } from "./pairs.ts";

export interface ConnectionString {
  readonly form: "url" | "pairs";
  /** Absent when there is no account, there are several, or its escapes cannot be read with certainty. */
  readonly account?: Field;
  /** Absent like `account`. */
  readonly password?: Field;
}

/** Scheme, user information, hosts, and the rest. MongoDB and PostgreSQL allow a list of hosts. */
const url = /^(?:jdbc:)?[a-z][a-z0-9+.-]+:\/\/(?:([^/?#]*)@)?[^/?#]*/i;

/** The prefix of a connection string in the form of ODBC. */
const sqlServer = /^jdbc:sqlserver:[^;]*;/i;

/** Undefined unless the text is a URL with `//`, a JDBC URL, or pairs such as `host=db user=app password=…`. */
export function parseConnectionString(text: string): ConnectionString | undefined {
  const [jdbc] = sqlServer.exec(text) ?? [];
  if (jdbc !== undefined) return { form: "url", ...readLoginPairs(text, jdbc.length) };
  const [start, userInfo] = url.exec(text) ?? [];
  if (start !== undefined) return { form: "url", ...urlFields(text, start, userInfo) };
  if (/^jdbc:/i.test(text)) return { form: "url" };
  const pairs = readLoginPairs(text);
  return pairs && { form: "pairs", ...pairs };
}

function urlFields(text: string, start: string, userInfo: string | undefined) {
  // A blank or a second @ means that the password has an unescaped character, so its end is uncertain.
  if (/\s/.test(text) || (userInfo !== undefined && text.includes("@", start.length))) return {};
  const inQuery = queryFields(text, start.length);
  const before = userInfo === undefined ? {} : userInfoFields(userInfo, text.indexOf("//") + 2);
  return {
    ...takeOnlyField("account", [...inQuery.accounts, ...(before.account ?? [])]),
    ...takeOnlyField("password", [...inQuery.passwords, ...(before.password ?? [])]),
  };
}

function userInfoFields(userInfo: string, from: number): { account?: Fields; password?: Fields } {
  const colon = userInfo.indexOf(":");
  if (colon < 0) return { account: [encodeValue(userInfo, from)] };
  const account = userInfo.slice(0, colon);
  return {
    ...(account !== "" && { account: [encodeValue(account, from)] }),
    password: [encodeValue(userInfo.slice(colon + 1), from + colon + 1)],
  };
}

function queryFields(text: string, start: number): { accounts: Fields; passwords: Fields } {
  // The driver of MariaDB does not decode what is in a URL.
  const isRaw = /^jdbc:mariadb:/i.test(text);
  const parameters = Array.from(text.matchAll(/[?&]([^=&#?]*)=([^&#]*)/g))
    .filter(({ index }) => index >= start)
    .map(({ index, 0: all, 1: name = "", 2: value = "" }) => {
      const from = index + all.length - value.length;
      // Some drivers read a plus as a blank, and others as a plus.
      const isCertain = !value.includes("+");
      const field = isRaw ? rawValue(value, from) : encodeValue(value, from);
      return { name: name.toLowerCase(), field: isCertain ? field : undefined };
    });
  const named = (...names: string[]) =>
    parameters.filter(({ name }) => names.includes(name)).map(({ field }) => field);
  return { accounts: named("user", "username"), passwords: named("password", "pwd") };
}

/** A person may have encoded it nevertheless. */
function rawValue(value: string, from: number): Field | undefined {
  if (value.includes("%")) return undefined;
  return { value, from, to: from + value.length, write: (next) => next };
}

function encodeValue(raw: string, from: number): Field | undefined {
  try {
    const value = decodeURIComponent(raw);
    const write = (next: string) => encodeURIComponent(next.toWellFormed());
    return { value, from, to: from + raw.length, write };
  } catch {
    return undefined;
  }
}

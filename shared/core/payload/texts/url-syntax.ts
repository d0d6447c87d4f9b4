import type { Field } from "../field.ts";
import { toPlainName } from "../names.ts";
import type { Part, Parts } from "./text-form.ts";

/** What a URL consists of. */
export interface Url {
  readonly scheme: string;
  readonly login?: { readonly username: string; readonly password: string };
  /** One or more addresses, in the syntax of a URL. */
  readonly host: string;
  readonly database?: string | undefined;
  readonly query: Readonly<Record<string, string>>;
}

/** Encodes everything but the unreserved characters, so that no parser takes any other for a separator. */
export function encode(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export function writeUrl({ scheme, login, host, database = "", query }: Url): string {
  const userInfo = login ? `${encode(login.username)}:${encode(login.password)}@` : "";
  const parameters = Object.entries(query).map(([name, value]) => `${name}=${encode(value)}`);
  const search = parameters.length > 0 ? `?${parameters.join("&")}` : "";
  return `${scheme}://${userInfo}${host}/${encode(database)}${search}`;
}

const url = /^([a-z][a-z0-9+.:-]*):\/\/(?:([^/?#@]*)@)?([^/?#@]*)(\/[^?#]*)?(?:\?([^#]*))?(#.*)?$/i;

/** Undefined unless the text is a URL with such a scheme. A blank or a second @ means that the end of the password is uncertain. */
export function readUrl(text: string, schemes: RegExp): Parts | undefined {
  if (/\s/.test(text)) return undefined;
  const [, scheme = "", userInfo, host = "", path = "", query = ""] = url.exec(text) ?? [];
  if (!schemes.test(scheme)) return undefined;
  const afterScheme = scheme.length + 3;
  const hostFrom = afterScheme + (userInfo === undefined ? 0 : userInfo.length + 1);
  const pathFrom = hostFrom + host.length;
  return [
    { name: "scheme", field: plainField(scheme, 0) },
    ...(userInfo === undefined ? [] : readUserInfo(userInfo, afterScheme)),
    { name: "host", field: plainField(host, hostFrom) },
    { name: "database", field: readPath(path, pathFrom) },
    ...readQuery(query, pathFrom + path.length + 1),
  ];
}

/** With one more parameter, written as `name=value`. */
export function addToUrl(text: string, parameter: string): string {
  const at = text.includes("#") ? text.indexOf("#") : text.length;
  const before = text.slice(0, at);
  const separator = before.includes("?") ? (/[?&]$/.test(before) ? "" : "&") : "?";
  return `${before}${separator}${parameter}${text.slice(at)}`;
}

function readUserInfo(userInfo: string, from: number): Part[] {
  const colon = userInfo.indexOf(":");
  const account = colon < 0 ? userInfo : userInfo.slice(0, colon);
  const username = { name: "username", field: encodedField(account, from) };
  if (colon < 0) return [username];
  const password = encodedField(userInfo.slice(colon + 1), from + colon + 1);
  return [username, { name: "password", field: password }];
}

function readPath(path: string, from: number): Field | undefined {
  const field = encodedField(path.slice(1), from);
  return field && { ...field, to: from + path.length, write: (next) => `/${encode(next)}` };
}

function readQuery(query: string, start: number): Part[] {
  let from = start;
  return query.split("&").flatMap((whole) => {
    const valueFrom = from + whole.indexOf("=") + 1;
    from += whole.length + 1;
    const [, name, value = ""] = /^([^=]+)=(.*)$/.exec(whole) ?? [];
    if (name === undefined) return [];
    // Some drivers read a plus as a blank, and others as a plus.
    const field = value.includes("+") ? undefined : encodedField(value, valueFrom);
    return [{ name: toPlainName(name), field, whole }];
  });
}

function plainField(value: string, from: number): Field {
  return { value, from, to: from + value.length, write: (next) => next };
}

function encodedField(raw: string, from: number): Field | undefined {
  try {
    return { value: decodeURIComponent(raw), from, to: from + raw.length, write: encode };
  } catch {
    return undefined;
  }
}

import { type Credential, Secret } from "../secrets/secret.ts";
import type { Endpoint, PayloadFormat } from "../target.ts";
import { isJsonObject, parseJson, parseJsonObject } from "./json.ts";
import { type Found, readConnectionString, readJson } from "./read-json.ts";
import { findStructure } from "./structure.ts";
import { findForm } from "./texts/forms.ts";
import { cleanText, readText } from "./texts/read-text.ts";
import type { TextForm } from "./texts/text-form.ts";

export interface Payload {
  readonly value: Secret;
  readonly contentType: string;
}

/**
 * The published value: a JSON object with everything that consumers need to connect, or the password alone, or the connection string of
 * the service, if it has one, or a text in another form. Throws if the system has no such form.
 */
export function renderPayload(
  as: PayloadFormat,
  credential: Credential,
  endpoint: Endpoint,
  connectionString?: Secret,
): Payload {
  const { members, more, tls: _, ...address } = endpoint;
  const form = findForm(as, endpoint.engine);
  if (form) {
    const login = { username: credential.account, password: credential.secret.reveal() };
    return { value: new Secret(form.render(endpoint, login)), contentType: "text/plain" };
  }
  if (as === "password") return { value: credential.secret, contentType: "text/plain" };
  if (as === "connection-string" && connectionString) {
    return { value: connectionString, contentType: "text/plain" };
  }
  if (as !== "json") throw new Error(`Bug: ${endpoint.engine} has no form ${as}`);
  const body = {
    ...address,
    ...(members && { hosts: members.join(",") }),
    ...more,
    username: credential.account,
    password: credential.secret.reveal(),
    ...(connectionString && { connectionString: connectionString.reveal() }),
  };
  return { value: new Secret(JSON.stringify(body)), contentType: "application/json" };
}

/** The form in which a credential is stored. */
export type PayloadShape =
  /** A JSON object with the credential in its own keys, or in those of an object inside. Other keys can be kept. */
  | "json"
  | "password"
  | "json string"
  | "url"
  | "connection string"
  /** The text form of the target. Its other parameters can be kept. */
  | "form";

export type PayloadReading =
  | { readonly kind: "credential"; readonly credential: Credential; readonly shape: PayloadShape }
  | NoCredential;

export interface NoCredential {
  readonly kind: "none";
  /** Continues a sentence that begins with the name of the secret: "holds XML". It contains no part of the value. */
  readonly why: string;
  /** What a new version would replace. `keys`: a JSON object without a credential, whose keys new JSON keeps. */
  readonly content: "nothing" | "keys" | "text";
}

/**
 * Reads a credential that Keyturn or a person stored, without guessing: a text that could be something else does not count as a bare
 * password. Without `accounts`, any account matches. With one account, that account applies if the text names none.
 */
export function readPayload(
  value: Secret,
  accounts: readonly string[],
  form?: TextForm,
): PayloadReading {
  // Windows PowerShell writes a byte-order mark, and many tools a line break at the end.
  const text = value
    .reveal()
    .replace(/^\uFEFF/, "")
    .replace(/[\r\n]+$/, "");
  if (text === "") return noCredential("is empty", "nothing");
  return (form && readForm(form, text, accounts)) ?? readAnyForm(text, accounts);
}

function readForm(
  form: TextForm,
  text: string,
  accounts: readonly string[],
): PayloadReading | undefined {
  const found = readText(form, cleanText(text), accounts);
  return found && asReading(found, "form");
}

function readAnyForm(text: string, accounts: readonly string[]): PayloadReading {
  const json = /^\s*[{"]/.test(text) ? parseJson(text) : undefined;
  if (isJsonObject(json)) return asReading(readJson(json, accounts), "json");
  if (typeof json === "string") {
    const inside = parseJsonObject(json);
    const found = inside ? readJson(inside, accounts) : readConnectionString(json, accounts);
    if (found) return asReading(found, "json string");
  }
  const connection = readConnectionString(text.trim(), accounts);
  if (connection) {
    return asReading(connection, connection.form === "url" ? "url" : "connection string");
  }
  const what = findStructure(text.trim(), accounts);
  if (what !== undefined) return noCredential(`holds ${what}`);
  const [only, ...others] = accounts;
  if (only === undefined || others.length > 0) {
    return noCredential("holds a bare password without an account name");
  }
  return asReading({ account: only, password: text }, "password");
}

/** The credential that `readPayload` finds, or undefined. */
export function parsePayload(
  value: Secret,
  accounts: readonly string[],
  form?: TextForm,
): Credential | undefined {
  const reading = readPayload(value, accounts, form);
  return reading.kind === "credential" ? reading.credential : undefined;
}

/**
 * Says how the next rotation changes the form of the published secret; undefined if consumers can continue to read it in the same
 * way. Continues a sentence that begins with the name of the secret.
 */
export function findShapeChange(shape: PayloadShape, as: PayloadFormat): string | undefined {
  if (
    shape === "form" ||
    shape === as ||
    (shape === "connection string" && as === "connection-string")
  ) {
    return undefined;
  }
  return `holds ${shapeNames[shape]}; the next rotation will replace it with ${written[as]} (publish.as: ${as})`;
}

/** The form that a rotation writes, in words. */
export const written: Readonly<Record<PayloadFormat, string>> = {
  json: "JSON with username and password",
  password: "the password alone",
  "connection-string": "the connection string of the service",
  uri: "a URI",
  jdbc: "a JDBC URL",
  ado: "a connection string of ADO.NET",
  odbc: "a connection string of ODBC",
  libpq: "a connection string of libpq",
  sqlalchemy: "a URL of SQLAlchemy",
};

const shapeNames: Readonly<Record<Exclude<PayloadShape, "form">, string>> = {
  json: "JSON",
  password: "a bare password",
  "json string": "JSON in a JSON string",
  url: "a URL",
  "connection string": "a connection string",
};

function noCredential(why: string, content: NoCredential["content"] = "text"): NoCredential {
  return { kind: "none", why, content };
}

function asReading(found: Found, shape: PayloadShape): PayloadReading {
  if ("what" in found) {
    return noCredential(`holds ${found.what}`, found.isBlank === true ? "keys" : "text");
  }
  const { account, password } = found;
  return { kind: "credential", credential: { account, secret: new Secret(password) }, shape };
}

import { type Credential, Secret } from "../secrets/secret.ts";
import type { Endpoint, PayloadFormat } from "../target.ts";
import { isJsonObject, parseJson, parseJsonObject } from "./json.ts";
import { type Found, readConnectionString, readJson } from "./read-json.ts";
import { findStructure } from "./structure.ts";

export interface Payload {
  readonly value: Secret;
  readonly contentType: string;
}

/**
 * The published value: a JSON object with everything that consumers need to connect, or the password alone, or the connection string of
 * the service, if it has one.
 */
export function renderPayload(
  as: PayloadFormat,
  credential: Credential,
  { members, more, ...address }: Endpoint,
  connectionString?: Secret,
): Payload {
  if (as === "password") return { value: credential.secret, contentType: "text/plain" };
  if (as === "connection-string" && connectionString) {
    return { value: connectionString, contentType: "text/plain" };
  }
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
  "json" | "password" | "json string" | "url" | "connection string";

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
export function readPayload(value: Secret, accounts: readonly string[]): PayloadReading {
  // Windows PowerShell writes a byte-order mark, and many tools a line break at the end.
  const text = value
    .reveal()
    .replace(/^\uFEFF/, "")
    .replace(/[\r\n]+$/, "");
  if (text === "") return noCredential("is empty", "nothing");
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
export function parsePayload(value: Secret, accounts: readonly string[]): Credential | undefined {
  const reading = readPayload(value, accounts);
  return reading.kind === "credential" ? reading.credential : undefined;
}

/**
 * Says how the next rotation changes the form of the published secret; undefined if consumers can continue to read it in the same
 * way. Continues a sentence that begins with the name of the secret.
 */
export function findShapeChange(shape: PayloadShape, as: PayloadFormat): string | undefined {
  if (shape === as || (shape === "connection string" && as === "connection-string")) {
    return undefined;
  }
  return `holds ${shapeNames[shape]}; the next rotation will replace it with ${written[as]} (publish.as: ${as})`;
}

/** The form that a rotation writes, in words. */
export const written: Readonly<Record<PayloadFormat, string>> = {
  json: "JSON with username and password",
  password: "the password alone",
  "connection-string": "the connection string of the service",
};

const shapeNames: Readonly<Record<PayloadShape, string>> = {
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

import { Secret, type Credential } from "./secret.ts";
import type { Endpoint, PayloadFormat } from "./target.ts";

export interface Payload {
  readonly value: Secret;
  readonly contentType: string;
}

/** What consumers read: a JSON object with everything they need to connect, or the bare password. */
export function renderPayload(
  as: PayloadFormat,
  credential: Credential,
  endpoint: Endpoint,
): Payload {
  if (as === "password") return { value: credential.secret, contentType: "text/plain" };
  const body = {
    ...endpoint,
    username: credential.account,
    password: credential.secret.reveal(),
  };
  return { value: new Secret(JSON.stringify(body)), contentType: "application/json" };
}

/**
 * Reads back a credential that we or a person stored: a JSON object with `password` and, unless `accounts` is just
 * one, `username`; or the bare password of the only account. Undefined when it is neither, or names an account
 * that is not among `accounts` (when any are given).
 */
export function parsePayload(value: Secret, accounts: readonly string[]): Credential | undefined {
  const only = accounts.length === 1 ? accounts[0] : undefined;
  const body = parseObject(value.reveal());
  if (body === undefined) {
    return only === undefined || value.reveal() === ""
      ? undefined
      : { account: only, secret: value };
  }
  const { username = only, password } = body;
  if (typeof username !== "string" || typeof password !== "string") return undefined;
  if (username === "" || password === "") return undefined;
  if (accounts.length > 0 && !accounts.includes(username)) return undefined;
  return { account: username, secret: new Secret(password) };
}

/** Undefined unless the text is a JSON object with a password in it: any other text may itself be a password. */
function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && "password" in parsed
      ? { ...parsed }
      : undefined;
  } catch {
    return undefined;
  }
}

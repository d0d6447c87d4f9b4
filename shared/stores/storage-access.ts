import type { TokenCredential } from "@azure/identity";
import { ConfigError } from "../core/errors.ts";
import { isLoopback } from "../core/secrets/addresses.ts";

/** Access to a storage account: a connection string, or the address of one of its services and an identity. */
export type StorageConnection =
  | { readonly connectionString: string }
  | { readonly endpoint: string; readonly credential: TokenCredential };

/** The address of one resource of a service, such as a queue. */
export function readAddress(endpoint: string, name: string): string {
  return `${endpoint.replace(/\/+$/, "")}/${name}`;
}

/**
 * Creates a client and checks its address. Keys and messages must not be sent unencrypted, so http is permitted on loopback only.
 * Throws ConfigError.
 */
export function openSafely<Client extends { readonly url: string }>(
  open: (allowInsecureConnection: boolean) => Client,
): Client {
  const url = readUrl(open);
  if (url.protocol === "https:") return open(false);
  if (url.protocol === "http:" && isLoopback(url)) return open(true);
  throw new ConfigError(
    "The storage connection must use https; only loopback addresses may use http.",
  );
}

function readUrl(open: (allowInsecureConnection: boolean) => { readonly url: string }): URL {
  try {
    return new URL(open(false).url);
  } catch {
    // The message of the client may repeat the key.
    throw new ConfigError("The storage connection is neither a connection string nor an endpoint.");
  }
}

/** The parts of an answer of a storage client that messages may contain. */
export interface StorageFailure {
  readonly status: number | undefined;
  /** The code, such as `EntityAlreadyExists` or `ECONNREFUSED`. */
  readonly code: string | undefined;
  /** Status, code and request id, as a part of a sentence. */
  readonly description: string;
}

/**
 * Reads only status, code and request id, because the message, the address and the request headers of an SDK error contain
 * signatures.
 */
export function toStorageFailure(error: unknown): StorageFailure {
  const status = numberAt(error, "statusCode");
  const code = wordAt(error, "code") ?? wordAt(valueAt(error, "details"), "errorCode");
  const headers = valueAt(valueAt(error, "response"), "headers");
  const requestId = header(headers, "x-ms-request-id");
  const timedOut = wordAt(error, "name") === "AbortError";
  const description = [
    status === undefined ? undefined : `status ${status}`,
    code ?? (timedOut ? "timed out" : wordAt(error, "name")),
    requestId === undefined ? undefined : `request ${requestId}`,
  ];
  return { status, code, description: description.filter((part) => part !== undefined).join(", ") };
}

function valueAt(holder: unknown, name: string): unknown {
  return typeof holder === "object" && holder !== null ? Reflect.get(holder, name) : undefined;
}

function numberAt(holder: unknown, name: string): number | undefined {
  const value = valueAt(holder, name);
  return typeof value === "number" ? value : undefined;
}

function wordAt(holder: unknown, name: string): string | undefined {
  return word(valueAt(holder, name));
}

function header(headers: unknown, name: string): string | undefined {
  const get = valueAt(headers, "get");
  return typeof get === "function" ? word(Reflect.apply(get, headers, [name])) : undefined;
}

function word(value: unknown): string | undefined {
  return typeof value === "string" && /^[\w-]{1,64}$/.test(value) ? value : undefined;
}

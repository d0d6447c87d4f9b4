import { isRestError } from "@azure/keyvault-secrets";
import { z } from "zod";
import { ConfigError, VaultUnavailableError } from "../core/errors.ts";
import { isGivenUp } from "../http/deadline.ts";

/** A call to Key Vault, as an operator would name it. */
export interface Call {
  readonly doing: "read" | "list" | "write" | "disable";
  /** Name of the vault in the configuration. */
  readonly vault: string;
  readonly secret: string;
}

/** All that is ever taken from an error of the client: its `request` holds the value and the token. */
export interface Refusal {
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly innerCode?: string | undefined;
  readonly requestId?: string | undefined;
}

const rights = {
  read: { action: "Microsoft.KeyVault/vaults/secrets/getSecret/action", policy: "get" },
  list: { action: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", policy: "list" },
  write: { action: "Microsoft.KeyVault/vaults/secrets/setSecret/action", policy: "set" },
  disable: { action: "Microsoft.KeyVault/vaults/secrets/update/action", policy: "set" },
};

const networkCodes = ["ForbiddenByFirewall", "ForbiddenByConnection"];

/** All codes worth repeating. A server could put anything in their place, even what it was sent. */
const code = z.enum([
  "AccessDenied",
  "BadParameter",
  "Conflict",
  "Forbidden",
  "ForbiddenByConnection",
  "ForbiddenByFirewall",
  "ForbiddenByPolicy",
  "ForbiddenByRbac",
  "InternalServerError",
  "ObjectIsBeingDeleted",
  "ObjectIsBeingRecovered",
  "ObjectIsDeletedButRecoverable",
  "SecretDisabled",
  "SecretNotFound",
  "ServiceUnavailable",
  "Throttled",
  "Unauthorized",
  "VaultNotFound",
]);
const details = z.object({ error: z.object({ innerError: z.object({ code }) }) });
/** Of a connection that came to nothing, such as `ECONNRESET`; Node's own, not the server's. */
const networkCode = z.string().regex(/^[A-Z_]{1,40}$/);
const requestId = z.guid();

export function readRefusal(error: unknown): Refusal {
  if (!isRestError(error)) return {};
  return {
    status: error.statusCode,
    code: (error.statusCode === undefined ? networkCode : code).safeParse(error.code).data,
    innerCode: details.safeParse(error.details).data?.error.innerError.code,
    requestId: requestId.safeParse(error.response?.headers.get("x-ms-request-id")).data,
  };
}

/** The error that says what an operator can do. It has no cause, because the client's error holds secrets. */
export function vaultFailure(call: Call, error: unknown): ConfigError | VaultUnavailableError {
  const refusal = readRefusal(error);
  const sentence = explain(call, refusal, error);
  const text = `Key Vault ${call.vault}, ${call.doing} ${call.secret}: ${sentence}${facts(refusal)}`;
  return refusal.status === 400 ? new ConfigError(text) : new VaultUnavailableError(text);
}

function explain(call: Call, refusal: Refusal, error: unknown): string {
  switch (refusal.status) {
    case undefined:
      return explainSilence(refusal, error);
    case 400:
      return "the request was refused as malformed.";
    case 401:
      return "the token of Keyturn's identity was not accepted; is the vault in another tenant?";
    case 403:
      return explainForbidden(call, refusal);
    case 409:
      return explainConflict(refusal);
    case 429:
      return "the vault is throttling; its limit is shared by everybody who uses it.";
    default:
      return "the vault did not do as asked.";
  }
}

function explainSilence(refusal: Refusal, error: unknown): string {
  if (isGivenUp(error)) return "no answer in time.";
  if (refusal.code !== undefined) return "the vault could not be reached.";
  // The clients of identities say more, but with what they were answered.
  return "no token could be had for Keyturn's identity, or the answer made no sense.";
}

function explainForbidden(call: Call, { innerCode }: Refusal): string {
  if (innerCode !== undefined && networkCodes.includes(innerCode)) {
    return "the network rules of the vault do not let Keyturn in.";
  }
  const { action, policy } = rights[call.doing];
  return (
    `Keyturn's identity lacks the data action ${action}, which the role Key Vault Secrets Officer ` +
    `has (with access policies: ${policy}). A right just granted takes up to ten minutes.`
  );
}

function explainConflict({ innerCode }: Refusal): string {
  return innerCode === "ObjectIsDeletedButRecoverable"
    ? "the secret was deleted but can be recovered; recover it or purge it, and try again."
    : "the secret is just being deleted or recovered; once that is over, recover or purge it.";
}

function facts({ status, code, innerCode, requestId }: Refusal): string {
  const known = [
    status === undefined ? undefined : `HTTP ${status}`,
    code,
    innerCode,
    requestId === undefined ? undefined : `request ${requestId}`,
  ].filter((fact) => fact !== undefined);
  return known.length === 0 ? "" : ` (${known.join(", ")})`;
}

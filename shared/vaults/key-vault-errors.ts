import { isRestError } from "@azure/keyvault-secrets";
import { z } from "zod";
import { ConfigError, VaultUnavailableError } from "../core/errors.ts";
import { second } from "../core/time.ts";
import { isGivenUp } from "../http/deadline.ts";
import { StrangeAnswerError, type Strangeness } from "./key-vault-answers.ts";
import { askedToWait } from "./key-vault-client.ts";
import {
  commonSentences,
  networkCode,
  noAnswer,
  notCarriedOut,
  timedOut,
} from "./key-vault-sentences.ts";

/** A call to Key Vault, in words for an operator. */
export interface Call {
  readonly doing: "read" | "list" | "write" | "disable" | "look for deleted";
  /** The name of the vault in the configuration. */
  readonly vault: string;
  readonly secret: string;
}

/** The only parts of a client's error that Keyturn uses: its `request` contains the value and the token. */
export interface VaultErrorDetails {
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly innerCode?: string | undefined;
  readonly requestId?: string | undefined;
  /** Set when Key Vault did not give this answer, or the answer cannot be used. */
  readonly strangeness?: Strangeness | undefined;
}

const read = { action: "Microsoft.KeyVault/vaults/secrets/getSecret/action", policy: "get" };
const rights = {
  read,
  "look for deleted": read,
  list: { action: "Microsoft.KeyVault/vaults/secrets/readMetadata/action", policy: "list" },
  write: { action: "Microsoft.KeyVault/vaults/secrets/setSecret/action", policy: "set" },
  disable: { action: "Microsoft.KeyVault/vaults/secrets/update/action", policy: "set" },
};

/** Seconds. Keyturn does not wait longer, even if the server requests it. */
const maxWaitSeconds = 300;

const networkCodes = ["ForbiddenByFirewall", "ForbiddenByConnection"];

/** The codes that messages may contain. A server could send any other text, even the request itself. */
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
const requestId = z.guid();

function readRefusal(error: unknown): VaultErrorDetails {
  if (error instanceof StrangeAnswerError) {
    return { status: error.status, strangeness: error.strangeness };
  }
  if (!isRestError(error)) return {};
  return {
    status: error.statusCode,
    code: (error.statusCode === undefined ? networkCode : code).safeParse(error.code).data,
    innerCode: details.safeParse(error.details).data?.error.innerError.code,
    requestId: requestId.safeParse(error.response?.headers.get("x-ms-request-id")).data,
  };
}

/** Key Vault itself says that the secret, or this version of it, does not exist. */
export function isAbsent(error: unknown): boolean {
  const { status, code } = readRefusal(error);
  return status === 404 && code === "SecretNotFound";
}

/** Key Vault itself says that the version exists and is disabled. */
export function isDisabled(error: unknown): boolean {
  const { status, innerCode } = readRefusal(error);
  return status === 403 && innerCode === "SecretDisabled";
}

/** Keyturn's identity lacks the right to read. A firewall that blocks the app is a different case. */
export function isNotAllowed(error: unknown): boolean {
  const { status, innerCode, strangeness } = readRefusal(error);
  return status === 403 && strangeness === undefined && !isNetworkRule(innerCode);
}

/** The error with advice for an operator. It has no cause, because the client's error contains secrets. */
export function toVaultFailure(call: Call, error: unknown): ConfigError | VaultUnavailableError {
  const refusal = readRefusal(error);
  const sentence = explain(call, refusal, error);
  const text = `Key Vault ${call.vault}, ${call.doing} ${call.secret}: ${sentence}${facts(refusal)}`;
  if (isOurMistake(call, refusal)) return new ConfigError(text);
  const retryAfter = readRetryAfter(error);
  return new VaultUnavailableError(text, retryAfter === undefined ? {} : { retryAfter });
}

/** Milliseconds. The throttling window of a vault is ten seconds, if its answer names no time. */
function readRetryAfter(error: unknown): number | undefined {
  if (!isRestError(error)) return undefined;
  const seconds = Number(error.response?.headers.get(askedToWait) ?? Number.NaN);
  if (seconds >= 0 && seconds <= maxWaitSeconds) return seconds * second;
  return error.statusCode === 429 ? second : undefined;
}

/** A name that was valid for a read is not malformed in the search among deleted secrets. */
function isOurMistake({ doing }: Call, { status, strangeness }: VaultErrorDetails): boolean {
  return status === 400 && strangeness === undefined && doing !== "look for deleted";
}

const strangeAnswers: Readonly<Record<Strangeness, string>> = {
  foreign:
    "the answer is not from Key Vault, but from a server in front of the vault. Check the vault's url, private DNS, and the " +
    "gateways and proxies on the way.",
  "about-another-secret":
    "the answer is about another secret or another vault. Check the vault's url, private DNS, and the gateways and " +
    "proxies on the way.",
  incomplete: "the answer lacks a field that Key Vault always sends.",
};

function explain(call: Call, refusal: VaultErrorDetails, error: unknown): string {
  if (refusal.strangeness !== undefined) return strangeAnswers[refusal.strangeness];
  switch (refusal.status) {
    case undefined:
      return explainSilence(refusal, error);
    case 400:
      return "Key Vault refused the request as malformed.";
    case 403:
      return explainForbidden(call, refusal);
    case 404:
      return explainNotFound(refusal);
    case 409:
      return explainConflict(refusal);
    default:
      return commonSentences[refusal.status] ?? notCarriedOut;
  }
}

function explainSilence(refusal: VaultErrorDetails, error: unknown): string {
  if (isGivenUp(error)) return timedOut;
  if (refusal.code !== undefined) return "the vault could not be reached.";
  return noAnswer;
}

function explainForbidden(call: Call, { innerCode }: VaultErrorDetails): string {
  if (isNetworkRule(innerCode)) {
    return "the network rules of the vault block Keyturn. Add the network of the app to these rules.";
  }
  const { action, policy } = rights[call.doing];
  return (
    `Keyturn's identity lacks the data action ${action}, which the role Key Vault Secrets Officer ` +
    `has (with access policies: ${policy}). A new role assignment can take up to ten minutes to apply.`
  );
}

function isNetworkRule(innerCode: string | undefined): boolean {
  return innerCode !== undefined && networkCodes.includes(innerCode);
}

function explainNotFound({ code }: VaultErrorDetails): string {
  return code === "VaultNotFound"
    ? "the vault does not exist. Check the vault's url and private DNS."
    : "the vault answered 404, but its answer does not name the secret.";
}

const conflicts: Readonly<Record<string, string>> = {
  ObjectIsDeletedButRecoverable:
    "the secret was deleted, but can be recovered. Recover or purge it, and try again.",
  ObjectIsBeingDeleted:
    "the secret is being deleted. Recover or purge it after that, and try again.",
  ObjectIsBeingRecovered: "the secret is being recovered. Try again after that.",
};

function explainConflict({ innerCode = "" }: VaultErrorDetails): string {
  return conflicts[innerCode] ?? "another operation on the secret is under way. Try again later.";
}

function facts({ status, code, innerCode, requestId }: VaultErrorDetails): string {
  const known = [
    status === undefined ? undefined : `HTTP ${status}`,
    code,
    innerCode,
    requestId === undefined ? undefined : `request ${requestId}`,
  ].filter((fact) => fact !== undefined);
  return known.length === 0 ? "" : ` (${known.join(", ")})`;
}

import { isRestError } from "@azure/keyvault-secrets";
import { z } from "zod";
import { ConfigError, VaultUnavailableError } from "../core/errors.ts";
import { second } from "../core/time.ts";
import { isGivenUp } from "../http/deadline.ts";
import { StrangeAnswerError, type Strangeness } from "./key-vault-answers.ts";
import { askedToWait } from "./key-vault-client.ts";

/** A call to Key Vault, as an operator would name it. */
export interface Call {
  readonly doing: "read" | "list" | "write" | "disable" | "look for deleted";
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

/** Seconds. Whoever asks for more is not waited for. */
const longestWait = 300;

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

function readRefusal(error: unknown): Refusal {
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

/** Key Vault itself says that it has no such secret, or no such version of it. */
export function isAbsent(error: unknown): boolean {
  const { status, code } = readRefusal(error);
  return status === 404 && code === "SecretNotFound";
}

/** Key Vault itself says that the version exists and was disabled. */
export function isDisabled(error: unknown): boolean {
  const { status, innerCode } = readRefusal(error);
  return status === 403 && innerCode === "SecretDisabled";
}

/** Keyturn's identity lacks the right to ask. A firewall that lets nobody in is something else. */
export function isNotAllowed(error: unknown): boolean {
  const { status, innerCode, strangeness } = readRefusal(error);
  return status === 403 && strangeness === undefined && !isNetworkRule(innerCode);
}

/** The error that says what an operator can do. It has no cause, because the client's error holds secrets. */
export function vaultFailure(call: Call, error: unknown): ConfigError | VaultUnavailableError {
  const refusal = readRefusal(error);
  const sentence = explain(call, refusal, error);
  const text = `Key Vault ${call.vault}, ${call.doing} ${call.secret}: ${sentence}${facts(refusal)}`;
  if (isOurMistake(call, refusal)) return new ConfigError(text);
  const retryAfter = readRetryAfter(error);
  return new VaultUnavailableError(text, retryAfter === undefined ? {} : { retryAfter });
}

/** Milliseconds. A vault that throttles without saying for how long has a window of ten seconds. */
function readRetryAfter(error: unknown): number | undefined {
  if (!isRestError(error)) return undefined;
  const seconds = Number(error.response?.headers.get(askedToWait) ?? Number.NaN);
  if (seconds >= 0 && seconds <= longestWait) return seconds * second;
  return error.statusCode === 429 ? second : undefined;
}

/** A name that was just taken for a read is not malformed when it is looked for among the deleted ones. */
function isOurMistake({ doing }: Call, { status, strangeness }: Refusal): boolean {
  return status === 400 && strangeness === undefined && doing !== "look for deleted";
}

const strangeAnswers: Readonly<Record<Strangeness, string>> = {
  foreign:
    "the answer is not from Key Vault but from something before it. Check the vault's url, private DNS, and the " +
    "gateways and proxies on the way.",
  "about-another-secret":
    "the answer is about another secret or another vault. Check the vault's url, private DNS, and the gateways and " +
    "proxies on the way.",
  incomplete: "the answer lacks something that Key Vault always sends.",
};

function explain(call: Call, refusal: Refusal, error: unknown): string {
  if (refusal.strangeness !== undefined) return strangeAnswers[refusal.strangeness];
  switch (refusal.status) {
    case undefined:
      return explainSilence(refusal, error);
    case 400:
      return "the request was refused as malformed.";
    case 401:
      return "the token of Keyturn's identity was not accepted; is the vault in another tenant?";
    case 403:
      return explainForbidden(call, refusal);
    case 404:
      return explainNotFound(refusal);
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
  if (isNetworkRule(innerCode)) {
    return "the network rules of the vault do not let Keyturn in.";
  }
  const { action, policy } = rights[call.doing];
  return (
    `Keyturn's identity lacks the data action ${action}, which the role Key Vault Secrets Officer ` +
    `has (with access policies: ${policy}). A right just granted takes up to ten minutes.`
  );
}

function isNetworkRule(innerCode: string | undefined): boolean {
  return innerCode !== undefined && networkCodes.includes(innerCode);
}

function explainNotFound({ code }: Refusal): string {
  return code === "VaultNotFound"
    ? "this vault does not exist. Check the vault's url and private DNS."
    : "the vault found something missing, but does not say that it is the secret.";
}

const conflicts: Readonly<Record<string, string>> = {
  ObjectIsDeletedButRecoverable:
    "the secret was deleted but can be recovered; recover it or purge it, and try again.",
  ObjectIsBeingDeleted:
    "the secret is being deleted; once that is over, recover it or purge it, and try again.",
  ObjectIsBeingRecovered: "the secret is being recovered; try again once that is over.",
};

function explainConflict({ innerCode = "" }: Refusal): string {
  return conflicts[innerCode] ?? "another operation on the secret is in progress; try again later.";
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

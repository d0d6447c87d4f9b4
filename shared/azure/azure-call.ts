import type { RetryStrategy } from "@azure/core-rest-pipeline";
import type { TokenCredential } from "@azure/identity";
import { ConfigError } from "../core/errors.ts";
import { isGraph, isResourceManager } from "../core/secrets/addresses.ts";
import { second } from "../core/time.ts";
import type { AzurePlace } from "./azure-policy.ts";
import { readReply, type Reply } from "./azure-reply.ts";
import { type RawRequest, sendRaw } from "./azure-send.ts";
import { findToken } from "./tokens.ts";

/** The app's identity at one service of Azure. */
export interface AzureAccess extends AzurePlace {
  readonly credential: TokenCredential;
  /** Milliseconds between two polls of an operation, if Azure gives no interval. Default: 2 seconds. */
  readonly pollInterval?: number;
}

export interface AzureRequest {
  readonly method: RawRequest["method"];
  /** From the origin on: `/subscriptions/…?api-version=2025-08-01`. Names in it are already encoded. */
  readonly path: string;
  /** Sent as JSON. Absent: no body. */
  readonly body?: object;
  /** Whether a request that changes something may still be sent: called synchronously, directly before it is. Absent: it may. */
  readonly isInTime?: () => boolean;
}

/** A query is sent at most so often, if Azure answers that it is busy. */
const maxTries = 3;

/** Milliseconds. A longer delay in an answer ends the call: the engine tries again later. */
const longestDelay = 5 * second;

/**
 * Sends one request with a token of the identity for the scope `<origin>/.default`, and returns what is known after it; it throws only
 * ConfigError, for an origin that gets no token. It follows no redirect. Only GET is repeated, after 429 or 5xx with a short
 * `Retry-After`; everything else is sent at most once. It ends soon after `signal` fires, and after 30 seconds at the latest.
 */
export async function callAzure(
  access: AzureAccess,
  request: AzureRequest,
  signal: AbortSignal,
): Promise<Reply> {
  requireKnownOrigin(access.origin);
  const token = await findToken(access.credential, `${access.origin}/.default`, signal);
  if (signal.aborted) return { by: "nobody", why: "timed-out", sent: false };
  if (token === undefined) return { by: "nobody", why: "no-token", sent: false };
  const { method, path, body, isInTime } = request;
  const headers = {
    accept: "application/json",
    authorization: `Bearer ${token.reveal()}`,
    ...(body && { "content-type": "application/json" }),
  };
  const answer = await sendRaw(
    access,
    {
      ...{ method, path, headers },
      ...(body && { body: JSON.stringify(body) }),
      ...(isInTime && { isInTime }),
      repeat: { strategy: whenBusy, maxRetries: maxTries - 1 },
    },
    signal,
  );
  if (answer.by === "nobody") return answer;
  return readReply(answer.status, answer.headers, answer.text, Date.now());
}

function requireKnownOrigin(origin: string): void {
  if (isResourceManager(origin) || isGraph(origin)) return;
  throw new ConfigError(
    `${origin}: the token of the app's identity goes only to Azure Resource Manager and Microsoft Graph`,
  );
}

const whenBusy: RetryStrategy = {
  name: "keyturnWhenBusy",
  retry({ response }) {
    const delay =
      response && findDelay(readReply(response.status, response.headers, "", Date.now()));
    return delay === undefined ? { skipStrategy: true } : { retryAfterInMs: delay };
  },
};

/** Milliseconds after which a query may be sent again. Undefined: not at all, or too late for this call. */
function findDelay(reply: Reply): number | undefined {
  if (reply.by === "nobody") return undefined;
  const { status, headers } = reply;
  const isBusy = status === 429 || status >= 500;
  const delay = headers.retryAfter ?? Infinity;
  return isBusy && delay <= longestDelay ? delay : undefined;
}

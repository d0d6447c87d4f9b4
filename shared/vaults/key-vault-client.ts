import type { TokenCredential } from "@azure/identity";
import { isRestError, SecretClient, type SecretClientOptions } from "@azure/keyvault-secrets";
import { ConfigError } from "../core/errors.ts";
import { isLoopback, isVaultHost, vaultSuffixes } from "../core/secrets/addresses.ts";
import { second } from "../core/time.ts";
import { parseWebAddress } from "../http/address.ts";
import { isOwnAnswer, StrangeAnswerError } from "./key-vault-answers.ts";

/** Longer waits are left to the retries of the rotation. */
const maxPauseMs = 5 * second;

type Policy = NonNullable<SecretClientOptions["additionalPolicies"]>[number]["policy"];

export interface WarmableClient {
  readonly secrets: SecretClient;
  /**
   * Await this before any request with a body. The client authenticates lazily: it sends its first request without a token to find out
   * where to get one, and removes the body of that request only. Until Key Vault has answered a request with a token, any other
   * request would send its value to a server that has not proven its identity.
   */
  warmUp(secretName: string, signal: AbortSignal): Promise<void>;
}

/** Throws ConfigError unless the address is that of a vault or on loopback. */
export function parseVaultAddress(url: string, vault: string): URL {
  const what = `The url of the vault ${vault}`;
  const address = parseWebAddress(url, what);
  if (address.pathname !== "/" || address.search !== "") {
    throw new ConfigError(`${what} must have no path or query after the host.`);
  }
  if (!isVaultHost(address)) {
    throw new ConfigError(
      `${what} must be https://NAME followed by .${vaultSuffixes.join(", .")}.`,
    );
  }
  return address;
}

export function makeWarmableClient(address: URL, credential: TokenCredential): WarmableClient {
  let isProven = false;
  const hasAnswered = () => isProven;

  const guard: Policy = {
    name: "keyturnValuesNeedToken",
    sendRequest(request, next) {
      const hasBody = request.body !== undefined && request.body !== null;
      if (hasBody && !request.headers.has("authorization")) {
        throw new Error("A request with a body was about to be sent without a token.");
      }
      return next(request);
    },
  };

  /** Checks that Key Vault itself answered. Otherwise the status of any answer would count. */
  const onlyOwnAnswers: Policy = {
    name: "keyturnOnlyOwnAnswers",
    async sendRequest(request, next) {
      const response = await next(request);
      const { status, headers, bodyAsText } = response;
      const contentType = headers.get("content-type") ?? "";
      if (!isOwnAnswer({ status, contentType, body: bodyAsText ?? "" })) {
        throw new StrangeAnswerError("foreign", status);
      }
      if (request.headers.has("authorization")) isProven = true;
      return response;
    },
  };

  const secrets = new SecretClient(address.origin, credential, {
    ...(isLoopback(address) ? emulatorOnly : {}),
    retryOptions: { maxRetries: 2, retryDelayInMs: 400, maxRetryDelayInMs: maxPauseMs },
    // The client would follow a redirect without the token, but with the body.
    redirectOptions: { maxRetries: 0 },
    additionalPolicies: [
      { policy: guard, position: "perRetry" },
      { policy: impatience, position: "perRetry" },
      { policy: stayAt(address), position: "perRetry" },
      // This runs outside the retries, so that a gateway that is busy for a moment gets another try first.
      { policy: onlyOwnAnswers, position: "perCall" },
    ],
  });

  return {
    secrets,
    async warmUp(secretName, signal) {
      if (hasAnswered()) return;
      try {
        await secrets.getSecret(secretName, { abortSignal: signal });
      } catch (error) {
        // An absent secret, or a missing right to read it, is an answer of Key Vault to a request with a token.
        const isRefused = isRestError(error) && [403, 404].includes(error.statusCode ?? 0);
        if (!hasAnswered() || !isRefused) throw error;
      }
    },
  };
}

/** An emulator has neither a certificate nor a name below the audience of the token. */
export const emulatorOnly = {
  allowInsecureConnection: true,
  disableChallengeResourceVerification: true,
} satisfies SecretClientOptions;

/** A page of a list names the address of the next page, and the client would send its token to any address. */
function stayAt(address: URL): Policy {
  return {
    name: "keyturnStayAtVault",
    sendRequest(request, next) {
      const asked = new URL(request.url);
      const isThere = asked.origin === address.origin || (isLoopback(asked) && isLoopback(address));
      if (!isThere) throw new StrangeAnswerError("foreign");
      return next(request);
    },
  };
}

/** The header stays on the answer under this name, for later retries. */
export const askedToWait = "keyturn-retry-after";

/** With the header, the client would wait for the time that it names. Without it, the client reports the throttling at once. */
const impatience: Policy = {
  name: "keyturnImpatience",
  async sendRequest(request, next) {
    const response = await next(request);
    const requestedWait = response.headers.get("retry-after");
    if (requestedWait === undefined) return response;
    response.headers.set(askedToWait, requestedWait);
    if (!(Number(requestedWait) * second <= maxPauseMs)) response.headers.delete("retry-after");
    return response;
  },
};

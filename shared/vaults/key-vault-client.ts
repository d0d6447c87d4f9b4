import type { TokenCredential } from "@azure/identity";
import { isRestError, SecretClient,type SecretClientOptions } from "@azure/keyvault-secrets";
import { ConfigError } from "../core/errors.ts";
import { isLoopback, isVaultHost, vaultSuffixes } from "../core/secrets/addresses.ts";
import { second } from "../core/time.ts";
import { webAddress } from "../http/address.ts";
import { isOwnAnswer, StrangeAnswerError } from "./key-vault-answers.ts";

/** Longer waits are the business of whoever retries the rotation, not of one call. */
const longestPause = 5 * second;

type Policy = NonNullable<SecretClientOptions["additionalPolicies"]>[number]["policy"];

export interface WarmableClient {
  readonly secrets: SecretClient;
  /**
   * To be awaited before anything that has a body. The client authenticates lazily: it sends its first request bare,
   * to be told where to get a token, and takes off the body of that one request only. Until Key Vault has answered a
   * request with a token, any other request that starts would carry its value to a server that has proved nothing.
   */
  warmUp(secretName: string, signal: AbortSignal): Promise<void>;
}

/** Throws ConfigError unless the address is that of a vault, or on loopback. */
export function vaultAddress(url: string, vault: string): URL {
  const what = `The url of the vault ${vault}`;
  const address = webAddress(url, what);
  if (address.pathname !== "/" || address.search !== "") {
    throw new ConfigError(`${what} must end after the host.`);
  }
  if (!isVaultHost(address)) {
    throw new ConfigError(
      `${what} must be https://NAME followed by .${vaultSuffixes.join(", .")}.`,
    );
  }
  return address;
}

export function warmableClient(address: URL, credential: TokenCredential): WarmableClient {
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

  /** An answer that is not Key Vault's own would otherwise count by its status alone. */
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
    retryOptions: { maxRetries: 2, retryDelayInMs: 400, maxRetryDelayInMs: longestPause },
    // One that is followed loses its token but not its body.
    redirectOptions: { maxRetries: 0 },
    additionalPolicies: [
      { policy: guard, position: "perRetry" },
      { policy: impatience, position: "perRetry" },
      { policy: stayAt(address), position: "perRetry" },
      // Outside the retries: a gateway that is busy for a moment is asked again first.
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
        // That there is no such secret, or that it may not be read, is Key Vault's answer to a request with a token.
        const isRefused = isRestError(error) && [403, 404].includes(error.statusCode ?? 0);
        if (!hasAnswered() || !isRefused) throw error;
      }
    },
  };
}

/** An emulator has neither a certificate nor a name below that of the token's audience. */
const emulatorOnly = {
  allowInsecureConnection: true,
  disableChallengeResourceVerification: true,
} satisfies SecretClientOptions;

/** A page of a list names the address of the next one, and the client would send its token there, wherever it is. */
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

/** Under this name the header stays on the answer, for whoever tries again later. */
export const askedToWait = "keyturn-retry-after";

/** The client would sleep for as long as it is told to. Without the header it tells us at once that it was throttled. */
const impatience: Policy = {
  name: "keyturnImpatience",
  async sendRequest(request, next) {
    const response = await next(request);
    const told = response.headers.get("retry-after");
    if (told === undefined) return response;
    response.headers.set(askedToWait, told);
    if (!(Number(told) * second <= longestPause)) response.headers.delete("retry-after");
    return response;
  },
};

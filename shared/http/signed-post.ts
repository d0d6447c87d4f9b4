import type { Secret } from "../core/secrets/secret.ts";
import { parseWebAddress } from "./address.ts";
import { isGivenUp, withDeadline } from "./deadline.ts";
import { requireSigningKey, signedHeaders } from "./signed-headers.ts";

export interface Receiver {
  /** https, or http on loopback. */
  readonly url: string;
  /** The key that signs requests; at least 16 characters. */
  readonly key: Secret;
}

export interface SignedPoster {
  /** Host and port. The rest of the address may contain a key. */
  readonly host: string;
  /** Throws unless the receiver answers 2xx; the error contains neither body, key nor path. */
  post(body: string, contentType: string, signal: AbortSignal): Promise<void>;
}

/** `what` names the receiver in errors. */
export function makeSignedPoster(
  receiver: Receiver,
  what: string,
  now: () => Date = () => new Date(),
): SignedPoster {
  const address = parseWebAddress(receiver.url, `The url of ${what}`);
  requireSigningKey(receiver.key, `The key of ${what}`);
  return {
    host: address.host,
    async post(body, contentType, signal) {
      const headers = signedHeaders({ body, contentType, key: receiver.key }, now());
      const status = await send(address, { method: "POST", headers, body }, signal).catch(
        (error: unknown) => {
          throw new Error(`${what} at ${address.host} ${noAnswer(error)}.`);
        },
      );
      if (status < 200 || status > 299) {
        throw new Error(`${what} at ${address.host} answered HTTP ${status}.`);
      }
    },
  };
}

function send(address: URL, request: RequestInit, signal: AbortSignal): Promise<number> {
  return withDeadline(signal, async (either) => {
    // A redirect would send the body to an address that is not in the configuration.
    const response = await fetch(address, { ...request, redirect: "manual", signal: either });
    await response.body?.cancel();
    return response.status;
  });
}

function noAnswer(error: unknown): string {
  if (isGivenUp(error)) return "timed out";
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? `could not be reached (${code})` : "could not be reached";
}

import { ConfigError } from "../core/errors.ts";
import type { Secret } from "../core/secrets/secret.ts";
import { sign, signatureHeader } from "../core/secrets/signature.ts";
import { toInstant } from "../core/time.ts";

/** Characters. Shorter keys could be guessed. */
const minKeyLength = 16;

/** Throws ConfigError if the key is too short to sign requests. `what` names it. */
export function requireSigningKey(key: Secret, what: string): void {
  if (key.reveal().length >= minKeyLength) return;
  throw new ConfigError(`${what} must have at least ${minKeyLength} characters.`);
}

export interface SignedBody {
  readonly body: string;
  readonly contentType: string;
  readonly key: Secret;
}

/** The headers of a request with this body, signed at `now`. */
export function signedHeaders(
  { body, contentType, key }: SignedBody,
  now: Date,
): Record<string, string> {
  return { "content-type": contentType, [signatureHeader]: sign(body, key, toInstant(now)) };
}

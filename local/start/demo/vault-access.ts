import type { TokenCredential } from "@azure/identity";
import { isRestError, SecretClient } from "@azure/keyvault-secrets";
import { z } from "zod";

const tokenReply = z.object({ access_token: z.string(), expires_on: z.coerce.number() });

export interface IdentityAddress {
  readonly IDENTITY_ENDPOINT: string;
  readonly IDENTITY_HEADER: string;
}

/**
 * Makes the official client for the emulator. Does not use `ManagedIdentityCredential`, which reads the identity's address from
 * the environment of the whole process.
 */
export function emulatorClient(url: string, identity: IdentityAddress): SecretClient {
  const credential: TokenCredential = {
    async getToken() {
      const address = new URL(identity.IDENTITY_ENDPOINT);
      address.searchParams.set("api-version", "2019-08-01");
      address.searchParams.set("resource", "https://vault.azure.net");
      const headers = { "x-identity-header": identity.IDENTITY_HEADER };
      const reply = await fetch(address, { headers });
      if (!reply.ok) throw new Error(`The identity endpoint failed with status ${reply.status}.`);
      const { access_token: token, expires_on: seconds } = tokenReply.parse(await reply.json());
      return { token, expiresOnTimestamp: seconds * 1000 };
    },
  };
  // The emulator uses plain HTTP, which the client otherwise refuses.
  return new SecretClient(url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
}

const published = z.object({
  host: z.string(),
  port: z.number(),
  database: z.string(),
  username: z.string(),
  password: z.string(),
});

/** A secret as a consumer reads it. */
export interface PublishedSecret {
  readonly value: string;
  readonly version: string;
}

/** Reads the current version; undefined when nothing has been published yet. */
export async function readPublished(
  vault: SecretClient,
  name: string,
): Promise<PublishedSecret | undefined> {
  try {
    const { value = "", properties } = await vault.getSecret(name);
    return { value, version: properties.version ?? "" };
  } catch (error) {
    if (isRestError(error) && error.statusCode === 404) return undefined;
    throw error;
  }
}

/** Parses the log-in that a seeded target publishes. The error never repeats the value. */
export function parsePublished(name: string, value: string): z.output<typeof published> {
  try {
    return published.parse(JSON.parse(value));
  } catch {
    throw new Error(`Secret ${name} does not contain a PostgreSQL log-in.`);
  }
}

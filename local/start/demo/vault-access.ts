import type { TokenCredential } from "@azure/identity";
import { isRestError, SecretClient } from "@azure/keyvault-secrets";
import { z } from "zod";

const tokenReply = z.object({ access_token: z.string(), expires_on: z.coerce.number() });

export interface IdentityAddress {
  readonly IDENTITY_ENDPOINT: string;
  readonly IDENTITY_HEADER: string;
}

/**
 * The official client on the emulator. The identity's address is handed in, because `ManagedIdentityCredential` looks for
 * it in the environment, which belongs to whoever runs this.
 */
export function emulatorClient(url: string, identity: IdentityAddress): SecretClient {
  const credential: TokenCredential = {
    async getToken() {
      const address = new URL(identity.IDENTITY_ENDPOINT);
      address.searchParams.set("api-version", "2019-08-01");
      address.searchParams.set("resource", "https://vault.azure.net");
      const headers = { "x-identity-header": identity.IDENTITY_HEADER };
      const reply = await fetch(address, { headers });
      if (!reply.ok) throw new Error(`The identity endpoint answered ${reply.status}.`);
      const { access_token: token, expires_on: seconds } = tokenReply.parse(await reply.json());
      return { token, expiresOnTimestamp: seconds * 1000 };
    },
  };
  // The two switches are what plain HTTP on this machine needs.
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

/** The log-in that a seeded target publishes. Throws without ever repeating what it read. */
export function parsePublished(name: string, value: string): z.output<typeof published> {
  try {
    return published.parse(JSON.parse(value));
  } catch {
    throw new Error(`The secret ${name} does not hold a log-in for PostgreSQL.`);
  }
}

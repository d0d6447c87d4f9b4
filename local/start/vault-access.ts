import type { TokenCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
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

/** What a consumer of a PostgreSQL target reads. */
export interface PublishedCredential extends z.output<typeof published> {
  readonly version: string;
}

/** Reads what is published now. Throws without ever repeating what it read. */
export async function readPublished(
  vault: SecretClient,
  name: string,
): Promise<PublishedCredential> {
  const { value = "", properties } = await vault.getSecret(name);
  return { ...parsePublished(name, value), version: properties.version ?? "" };
}

function parsePublished(name: string, value: string) {
  try {
    return published.parse(JSON.parse(value));
  } catch {
    throw new Error(`The secret ${name} does not hold a log-in for PostgreSQL.`);
  }
}

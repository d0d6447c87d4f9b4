import type { TokenCredential } from "@azure/identity";
import { isRestError, SecretClient } from "@azure/keyvault-secrets";
import type { IdentityEndpoint } from "../../identity/endpoint.ts";

/**
 * Makes the official client for the emulator. Does not use `ManagedIdentityCredential`, which reads the identity's address from
 * the environment of the whole process.
 */
export function makeEmulatorClient(url: string, identity: IdentityEndpoint): SecretClient {
  const credential: TokenCredential = {
    getToken() {
      const { token, expiresOn } = identity.issue("https://vault.azure.net");
      return Promise.resolve({ token, expiresOnTimestamp: expiresOn * 1000 });
    },
  };
  // The emulator uses plain HTTP, which the client otherwise refuses.
  return new SecretClient(url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
}

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

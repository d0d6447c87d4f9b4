import type { TokenCredential } from "@azure/identity";
import { isRestError, SecretClient } from "@azure/keyvault-secrets";

/** Makes the official client for the emulator, which uses plain HTTP: the client otherwise refuses that. */
export function connectToVault(url: string, credential: TokenCredential): SecretClient {
  return new SecretClient(url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
}

/** A secret as a consumer reads it. */
export interface PublishedSecret {
  readonly value: string;
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Reads the current version; undefined when nothing has been published yet. */
export async function readPublished(
  vault: SecretClient,
  name: string,
): Promise<PublishedSecret | undefined> {
  try {
    const { value = "", properties } = await vault.getSecret(name);
    return { value, version: properties.version ?? "", tags: properties.tags ?? {} };
  } catch (error) {
    if (isRestError(error) && error.statusCode === 404) return undefined;
    throw error;
  }
}

import type { TokenCredential } from "@azure/identity";
import { isRestError, SecretClient } from "@azure/keyvault-secrets";
import type { EnvironmentFile } from "../environment/kept.ts";

/** Makes the official client for the emulator, which uses plain HTTP: the client otherwise refuses that. */
export function connectToVault(url: string, credential: TokenCredential): SecretClient {
  return new SecretClient(url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
}

/** Opens the vault of the environment that wrote this file. */
export function openVault(places: EnvironmentFile): SecretClient {
  return connectToVault(places.keyVault.url, { getToken: () => requestToken(places) });
}

/** A token of the app's own identity, which the vault accepts. */
async function requestToken({ identity, keyVault }: EnvironmentFile) {
  const url = new URL(identity.IDENTITY_ENDPOINT);
  url.search = new URLSearchParams({
    resource: "https://vault.azure.net",
    "api-version": "2019-08-01",
  }).toString();
  const answer = await fetch(url, { headers: { "x-identity-header": identity.IDENTITY_HEADER } });
  const token = (await answer.json()) as { access_token: string; expires_on: string };
  if (!answer.ok) throw new Error(`No token for ${keyVault.url}: status ${answer.status}`);
  return { token: token.access_token, expiresOnTimestamp: Number(token.expires_on) * 1_000 };
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

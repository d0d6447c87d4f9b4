import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import type { KeyVaultSecret, SecretProperties } from "@azure/keyvault-secrets";
import { ConfigError, isKnownError } from "../core/errors.ts";
import { Secret } from "../core/secret.ts";
import { toInstant } from "../core/time.ts";
import { withDeadline } from "../http/deadline.ts";
import { checkContent, checkName, checkRef } from "./content.ts";
import { vaultAddress, warmableClient } from "./key-vault-client.ts";
import type { WarmableClient } from "./key-vault-client.ts";
import { readRefusal, vaultFailure } from "./key-vault-errors.ts";
import type { Call } from "./key-vault-errors.ts";
import type { StoredSecret, Unreadable, Vault, VersionInfo } from "./vault.ts";

export interface KeyVaultOptions {
  /** Name in the configuration, by which secrets refer to it. */
  readonly name: string;
  /** Such as `https://kv-orders.vault.azure.net`; plain http only on loopback. */
  readonly url: string;
  readonly credential: TokenCredential;
}

/**
 * Milliseconds to wait before asking again for a version that "is not there". Whoever asks for a version has written
 * it, perhaps a moment ago, and not every machine of the service has heard of it yet.
 */
const settling = [100, 400];

/** Azure Key Vault. Throws ConfigError when the address is not one of a vault. */
export function keyVault(options: KeyVaultOptions): Vault {
  const vault = options.name;
  const ask = asker(options);
  return {
    async readCurrent(name, signal) {
      checkName(name);
      return ask({ doing: "read", secret: name }, signal, (client, abortSignal) =>
        unlessUnreadable(async () => {
          const found = await client.secrets.getSecret(name, { abortSignal });
          return toStored(found, vault, name);
        }),
      );
    },

    async readVersion(ref, signal) {
      checkRef(ref, vault);
      const { name, version } = ref;
      return ask({ doing: "read", secret: name }, signal, (client, abortSignal) =>
        unlessUnreadable(async () => {
          const read = () => client.secrets.getSecret(name, { version, abortSignal });
          return toStored(await onceSettled(read, abortSignal), vault, name);
        }),
      );
    },

    async listVersions(name, signal) {
      checkName(name);
      return ask({ doing: "list", secret: name }, signal, async ({ secrets }, abortSignal) => {
        const found: VersionInfo[] = [];
        for await (const listed of secrets.listPropertiesOfSecretVersions(name, { abortSignal })) {
          found.push(toInfo(listed, vault, name));
        }
        return found.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
      });
    },

    async write(name, content, signal) {
      checkContent(name, content);
      const { value, contentType, expiresAt, tags } = content;
      const options = {
        contentType,
        tags: { ...tags },
        enabled: true,
        ...(expiresAt === undefined ? {} : { expiresOn: new Date(expiresAt) }),
      };
      return ask({ doing: "write", secret: name }, signal, async (client, abortSignal) => {
        await client.warmUp(name, abortSignal);
        const written = await client.secrets.setSecret(name, value.reveal(), {
          ...options,
          abortSignal,
        });
        return { vault, name, version: known(written.properties.version) };
      });
    },

    async disable(ref, signal) {
      checkRef(ref, vault);
      const { name, version } = ref;
      return ask({ doing: "disable", secret: name }, signal, async (client, abortSignal) => {
        await client.warmUp(name, abortSignal);
        const change = { enabled: false, abortSignal };
        const disable = () => client.secrets.updateSecretProperties(name, version, change);
        await onceSettled(disable, abortSignal).catch((error: unknown) => {
          if (!isAbsent(error)) throw error;
        });
      });
    },
  };
}

/** Makes the client with the first call, and errors fit to be seen. */
function asker({ name: vault, url, credential }: KeyVaultOptions) {
  const address = vaultAddress(url, vault);
  let made: WarmableClient | undefined;

  return async function ask<Result>(
    call: Omit<Call, "vault">,
    signal: AbortSignal,
    work: (client: WarmableClient, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const client = (made ??= warmableClient(address, credential));
    try {
      return await withDeadline(signal, (either) => work(client, either));
    } catch (error) {
      if (isKnownError(error)) throw error;
      // Without the client's error as its cause: that one holds the value and the token.
      throw vaultFailure({ ...call, vault }, error);
    }
  };
}

async function unlessUnreadable(
  read: () => Promise<StoredSecret>,
): Promise<StoredSecret | Unreadable> {
  try {
    return await read();
  } catch (error) {
    if (isAbsent(error)) return "absent";
    if (readRefusal(error).innerCode === "SecretDisabled") return "disabled";
    throw error;
  }
}

async function onceSettled<Result>(
  ask: () => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  for (const pause of settling) {
    try {
      return await ask();
    } catch (error) {
      if (!isAbsent(error)) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
  return ask();
}

function isAbsent(error: unknown): boolean {
  return readRefusal(error).status === 404;
}

function toStored(
  { value, properties }: KeyVaultSecret,
  vault: string,
  name: string,
): StoredSecret {
  if (properties.managed === true || properties.certificateKeyId !== undefined) {
    throw new ConfigError(
      `The secret ${name} in the vault ${vault} belongs to a certificate; Key Vault itself renews it.`,
    );
  }
  const { version, contentType, createdOn, expiresOn, tags } = properties;
  return {
    ref: { vault, name, version: known(version) },
    value: new Secret(known(value)),
    contentType: contentType ?? "",
    createdAt: toInstant(known(createdOn)),
    ...(expiresOn ? { expiresAt: toInstant(expiresOn) } : {}),
    tags: { ...tags },
  };
}

function toInfo(listed: SecretProperties, vault: string, name: string): VersionInfo {
  return {
    ref: { vault, name, version: known(listed.version) },
    enabled: listed.enabled ?? true,
    createdAt: toInstant(known(listed.createdOn)),
    tags: { ...listed.tags },
  };
}

/** The client's types leave open what the service always sends. */
function known<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("The answer of Key Vault is incomplete.");
  return value;
}

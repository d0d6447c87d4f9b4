import { setTimeout as sleep } from "node:timers/promises";
import type { TokenCredential } from "@azure/identity";
import type { KeyVaultSecret, SecretProperties } from "@azure/keyvault-secrets";
import { ConfigError, isKnownError } from "../core/errors.ts";
import { isLoopback } from "../core/secrets/addresses.ts";
import { Secret } from "../core/secrets/secret.ts";
import type { VersionRef } from "../core/target.ts";
import { toInstant } from "../core/time.ts";
import { withDeadline } from "../http/deadline.ts";
import { checkContent, checkName, checkRef } from "./content.ts";
import { StrangeAnswerError } from "./key-vault-answers.ts";
import { vaultAddress, type WarmableClient, warmableClient } from "./key-vault-client.ts";
import { type Call, isAbsent, isDisabled, isNotAllowed, vaultFailure } from "./key-vault-errors.ts";
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

/** What was asked for, with which an answer is compared. */
interface Asked {
  readonly address: URL;
  /** Name of the vault in the configuration. */
  readonly vault: string;
  readonly name: string;
}

/** Azure Key Vault. Throws ConfigError when the address is not one of a vault. */
export function keyVault(options: KeyVaultOptions): Vault {
  const address = vaultAddress(options.url, options.name);
  const ask = asker(options, address);
  return { ...reading(options.name, address, ask), ...makeWriter(options.name, address, ask) };
}

type Ask = ReturnType<typeof asker>;

function reading(
  vault: string,
  address: URL,
  ask: Ask,
): Pick<Vault, "readCurrent" | "readVersion" | "listVersions"> {
  return {
    async readCurrent(name, signal) {
      checkName(name);
      const asked = { address, vault, name };
      return ask({ doing: "read", secret: name }, signal, (client, abortSignal) =>
        unlessUnreadable(asked, client, abortSignal, async () => {
          const found = await client.secrets.getSecret(name, { abortSignal });
          return toStored(found, asked);
        }),
      );
    },

    async readVersion(ref, signal) {
      checkRef(ref, vault);
      const { name, version } = ref;
      const asked = { address, vault, name };
      return ask({ doing: "read", secret: name }, signal, (client, abortSignal) =>
        unlessUnreadable(asked, client, abortSignal, async () => {
          const read = () => client.secrets.getSecret(name, { version, abortSignal });
          return toStored(await whenSettled(read, abortSignal), asked);
        }),
      );
    },

    async listVersions(name, signal) {
      checkName(name);
      return ask({ doing: "list", secret: name }, signal, async ({ secrets }, abortSignal) => {
        try {
          const found: VersionInfo[] = [];
          const listing = secrets.listPropertiesOfSecretVersions(name, { abortSignal });
          for await (const listed of listing) found.push(toInfo(listed, { address, vault, name }));
          return found.sort(newestFirst);
        } catch (error) {
          // The service lists nothing for a name that it does not have; an emulator may answer with a 404.
          if (isAbsent(error)) return [];
          throw error;
        }
      });
    },
  };
}

function makeWriter(vault: string, address: URL, ask: Ask): Pick<Vault, "write" | "disable"> {
  return {
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
        return toVersionRef(written.properties, { address, vault, name });
      });
    },

    async disable(ref, signal) {
      checkRef(ref, vault);
      const { name, version } = ref;
      return ask({ doing: "disable", secret: name }, signal, async (client, abortSignal) => {
        await client.warmUp(name, abortSignal);
        const change = { enabled: false, abortSignal };
        const disable = () => client.secrets.updateSecretProperties(name, version, change);
        try {
          const disabled = await whenSettled(disable, abortSignal);
          checkSubject(disabled, { address, vault, name });
        } catch (error) {
          if (!isAbsent(error)) throw error;
        }
      });
    },
  };
}

/** Makes the client with the first call, and errors fit to be seen. */
function asker({ name: vault, credential }: KeyVaultOptions, address: URL) {
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
  asked: Asked,
  client: WarmableClient,
  signal: AbortSignal,
  read: () => Promise<StoredSecret>,
): Promise<StoredSecret | Unreadable> {
  try {
    return await read();
  } catch (error) {
    if (isDisabled(error)) return "disabled";
    if (!isAbsent(error)) throw error;
  }
  return (await isDeleted(asked, client, signal)) ? "deleted" : "absent";
}

/**
 * Key Vault answers a read of a deleted secret as if it had never been there. False also while it is being deleted or
 * recovered, and when Keyturn may not ask; a write is refused then, and nothing is lost.
 */
async function isDeleted(
  asked: Asked,
  { secrets }: WarmableClient,
  abortSignal: AbortSignal,
): Promise<boolean> {
  try {
    const { properties } = await secrets.getDeletedSecret(asked.name, { abortSignal });
    checkSubject(properties, asked);
    return true;
  } catch (error) {
    if (isAbsent(error) || isNotAllowed(error)) return false;
    const { vault, name } = asked;
    throw vaultFailure({ doing: "look for deleted", vault, secret: name }, error);
  }
}

async function whenSettled<Result>(
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

function toStored({ value, properties }: KeyVaultSecret, asked: Asked): StoredSecret {
  const { vault, name } = asked;
  const ref = toVersionRef(properties, asked);
  if (properties.managed === true || properties.certificateKeyId !== undefined) {
    throw new ConfigError(
      `The secret ${name} in the vault ${vault} belongs to a certificate; Key Vault itself renews it.`,
    );
  }
  const { contentType, createdOn, expiresOn, tags } = properties;
  return {
    ref,
    value: new Secret(requireKnown(value)),
    contentType: contentType ?? "",
    createdAt: toInstant(requireKnown(createdOn)),
    ...(expiresOn ? { expiresAt: toInstant(expiresOn) } : {}),
    tags: { ...tags },
  };
}

function toInfo(listed: SecretProperties, asked: Asked): VersionInfo {
  return {
    ref: toVersionRef(listed, asked),
    enabled: listed.enabled ?? true,
    createdAt: toInstant(requireKnown(listed.createdOn)),
    tags: { ...listed.tags },
  };
}

/** Times are whole seconds, and the version decides within one: always the same order, although not that of time. */
function newestFirst(a: VersionInfo, b: VersionInfo): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.ref.version < b.ref.version ? 1 : -1;
}

/** The version that the answer is about, under the name that was asked for. */
function toVersionRef(properties: SecretProperties, asked: Asked): VersionRef {
  checkSubject(properties, asked);
  const { version = "" } = properties;
  if (version === "") throw new StrangeAnswerError("incomplete");
  return { vault: asked.vault, name: asked.name, version };
}

/** Throws unless the answer is about the vault and the name that were asked for. */
function checkSubject({ vaultUrl, name }: SecretProperties, asked: Asked): void {
  // An emulator names itself as it likes, such as localhost.
  const isThere = isLoopback(asked.address) || new URL(vaultUrl).host === asked.address.host;
  if (isThere && name.toLowerCase() === asked.name.toLowerCase()) return;
  throw new StrangeAnswerError("about-another-secret");
}

/** The client's types leave open what the service always sends. */
function requireKnown<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new StrangeAnswerError("incomplete");
  return value;
}

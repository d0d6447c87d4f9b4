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
import { makeWarmableClient, parseVaultAddress, type WarmableClient } from "./key-vault-client.ts";
import {
  type Call,
  isAbsent,
  isDisabled,
  isNotAllowed,
  toVaultFailure,
} from "./key-vault-errors.ts";
import type { StoredSecret, Unreadable, Vault, VersionInfo } from "./vault.ts";

export interface KeyVaultOptions {
  /** The name in the configuration, which secrets refer to. */
  readonly name: string;
  /** The address, such as `https://kv-orders.vault.azure.net`. http is permitted on loopback only. */
  readonly url: string;
  readonly credential: TokenCredential;
}

/**
 * Milliseconds between reads of a version that Key Vault reports as missing. Keyturn may have written it a moment ago, and not every
 * machine of the service has it yet.
 */
const settling = [100, 400];

/** The requested secret, which the answer must match. */
interface Asked {
  readonly address: URL;
  /** The name of the vault in the configuration. */
  readonly vault: string;
  readonly name: string;
}

/** Azure Key Vault. Throws ConfigError when the address is not one of a vault. */
export function makeKeyVault(options: KeyVaultOptions): Vault {
  const address = parseVaultAddress(options.url, options.name);
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
          // The service returns an empty list for an unknown name; an emulator may answer with a 404.
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

/** Creates the client at the first call, and converts errors so that they contain no secret. */
function asker({ name: vault, credential }: KeyVaultOptions, address: URL) {
  let made: WarmableClient | undefined;

  return async function ask<Result>(
    call: Omit<Call, "vault">,
    signal: AbortSignal,
    work: (client: WarmableClient, signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const client = (made ??= makeWarmableClient(address, credential));
    try {
      return await withDeadline(signal, (either) => work(client, either));
    } catch (error) {
      if (isKnownError(error)) throw error;
      // The error has no cause, because the client's error contains the value and the token.
      throw toVaultFailure({ ...call, vault }, error);
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
 * Key Vault answers a read of a deleted secret as if it had never existed. The result is also false while the secret is being deleted
 * or recovered, and when Keyturn lacks the right to read deleted secrets; Key Vault then refuses a write, and nothing is lost.
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
    throw toVaultFailure({ doing: "look for deleted", vault, secret: name }, error);
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
      `The secret ${name} in the vault ${vault} belongs to a certificate. Key Vault renews the secrets of certificates itself.`,
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

/** Times are whole seconds. Within a second the version decides: the order is always the same, but not that of time. */
function newestFirst(a: VersionInfo, b: VersionInfo): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.ref.version < b.ref.version ? 1 : -1;
}

/** The version in the answer, under the requested name. */
function toVersionRef(properties: SecretProperties, asked: Asked): VersionRef {
  checkSubject(properties, asked);
  const { version = "" } = properties;
  if (version === "") throw new StrangeAnswerError("incomplete");
  return { vault: asked.vault, name: asked.name, version };
}

/** Throws unless the answer is about the requested vault and name. */
function checkSubject({ vaultUrl, name }: SecretProperties, asked: Asked): void {
  // An emulator may use any host name, such as localhost.
  const isThere = isLoopback(asked.address) || new URL(vaultUrl).host === asked.address.host;
  if (isThere && name.toLowerCase() === asked.name.toLowerCase()) return;
  throw new StrangeAnswerError("about-another-secret");
}

/** The fields that the service always sends, although the types of the client make them optional. */
function requireKnown<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new StrangeAnswerError("incomplete");
  return value;
}

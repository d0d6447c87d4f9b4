import { createHash } from "node:crypto";
import type { TokenCredential } from "@azure/identity";
import type { KeyClient, KeyClientOptions, KeyProperties } from "@azure/keyvault-keys";
import { z } from "zod";
import { ConfigError, VaultUnavailableError } from "../core/errors.ts";
import { parseJson } from "../core/json.ts";
import { type Head, type Signature, toSignedText } from "../core/ledger/chain.ts";
import { parseHead, writeHead } from "../core/ledger/lines.ts";
import { isLoopback } from "../core/secrets/addresses.ts";
import { isGivenUp, withDeadline } from "../http/deadline.ts";
import { emulatorOnly, parseVaultAddress } from "./key-vault-client.ts";
import {
  commonSentences,
  networkCode,
  noAnswer,
  notCarriedOut,
  timedOut,
} from "./key-vault-sentences.ts";
import type { Signer } from "./signer.ts";

export interface KeyVaultSignerOptions {
  /** The name of the vault in the configuration. */
  readonly vault: string;
  /** The address of the vault. http is permitted on loopback only. */
  readonly url: string;
  /** The name of the key: EC with the curve P-256. */
  readonly key: string;
  readonly credential: TokenCredential;
}

/** The tag of the key with the head that it signed last. */
const lastHeadTag = "keyturn-last-head";

/** Signs with the newest version of a key in Key Vault. Throws ConfigError when the address is not one of a vault. */
export function makeKeyVaultSigner(options: KeyVaultSignerOptions): Signer {
  const address = parseVaultAddress(options.url, options.vault);

  async function ask<Result>(
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await withDeadline(signal, work);
    } catch (error) {
      throw toFailure(options, error);
    }
  }

  return {
    open: (signal) =>
      ask(signal, async (abortSignal) => {
        const keys = await makeKeyClient(options, address);
        // Each time, because the key may be replaced.
        const { properties } = await keys.getKey(options.key, { abortSignal });
        const last = await findLastHead(keys, properties, abortSignal);
        return {
          ...(last && { last }),
          sign: (head, signSignal) =>
            ask(signSignal, async (either) => {
              const signature = await sign(options, address, { properties, head }, either);
              await remember(keys, properties, head, either);
              return signature;
            }),
        };
      }),
  };
}

/** The first use loads the client. */
async function makeKeyClient(
  { credential }: KeyVaultSignerOptions,
  address: URL,
): Promise<KeyClient> {
  const { KeyClient } = await import("@azure/keyvault-keys");
  return new KeyClient(address.origin, credential, clientOptions(address));
}

function clientOptions(address: URL): KeyClientOptions {
  return {
    ...(isLoopback(address) ? emulatorOnly : {}),
    // The next sweep tries again.
    retryOptions: { maxRetries: 1 },
    redirectOptions: { maxRetries: 0 },
  };
}

interface Signing {
  readonly properties: KeyProperties;
  readonly head: Head;
}

/** The address of the key is made here: one that an answer names could be on another host, which would then get the token. */
async function sign(
  { key, credential }: KeyVaultSignerOptions,
  address: URL,
  { properties, head }: Signing,
  abortSignal: AbortSignal,
): Promise<Signature> {
  const { CryptographyClient } = await import("@azure/keyvault-keys");
  const id = `${address.origin}/keys/${key}/${properties.version ?? ""}`;
  const client = new CryptographyClient(id, credential, clientOptions(address));
  const digest = createHash("sha256").update(toSignedText(head)).digest();
  const { result, keyID } = await client.sign("ES256", digest, { abortSignal });
  return { key: keyID ?? client.keyID ?? "", value: Buffer.from(result).toString("base64url") };
}

/** A new version of a key has no tags: the versions before it have the head. */
async function findLastHead(
  keys: KeyClient,
  newest: KeyProperties,
  abortSignal: AbortSignal,
): Promise<Head | undefined> {
  const own = readLastHead(newest);
  if (own) return own;
  let last: Head | undefined;
  try {
    for await (const version of keys.listPropertiesOfKeyVersions(newest.name, { abortSignal })) {
      const head = readLastHead(version);
      if (head && head.sequence > (last?.sequence ?? 0)) last = head;
    }
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
  return last;
}

function readLastHead({ name, tags }: KeyProperties): Head | undefined {
  const text = tags?.[lastHeadTag];
  if (text === undefined) return undefined;
  const head = parseHead(parseJson(text));
  if (head) return head;
  throw new ConfigError(
    `The tag ${lastHeadTag} of the key ${name} was changed by hand and cannot be read. Restore it, or remove it.`,
  );
}

/** A signature counts even if the identity may not change the tags of the key. */
async function remember(
  keys: KeyClient,
  { name, version = "", tags }: KeyProperties,
  head: Head,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    await keys.updateKeyProperties(name, version, {
      tags: { ...tags, [lastHeadTag]: writeHead(head) },
      abortSignal,
    });
  } catch (error) {
    if (!isForbidden(error)) throw error;
  }
}

/** With a status the code is from the server, and is not shown. */
const refusal = z.object({
  statusCode: z.number().optional().catch(undefined),
  code: networkCode.optional().catch(undefined),
});

function isForbidden(error: unknown): boolean {
  return refusal.safeParse(error).data?.statusCode === 403;
}

/** The error has no cause, because the client's error contains the token. */
function toFailure(
  { vault, key }: KeyVaultSignerOptions,
  error: unknown,
): ConfigError | VaultUnavailableError {
  if (error instanceof ConfigError) return error;
  const { statusCode, code } = refusal.safeParse(error).data ?? {};
  const what = `Key Vault ${vault}, sign with key ${key}`;
  if (statusCode === 400) {
    return new ConfigError(
      `${what}: the key cannot sign with ES256, or has no room for the tag ${lastHeadTag}. Use an EC key with the curve P-256 and at most 14 other tags.`,
    );
  }
  return new VaultUnavailableError(`${what}: ${explain(statusCode, code, error)}`);
}

const sentences: Readonly<Record<number, string>> = {
  ...commonSentences,
  403: "Keyturn's identity may not read the key and sign with it, which the role Key Vault Crypto User allows, or the network rules of the vault block Keyturn.",
  404: "the key does not exist. Create an EC key with the curve P-256.",
};

function explain(status: number | undefined, code: string | undefined, error: unknown): string {
  if (isGivenUp(error)) return timedOut;
  if (status !== undefined) {
    return `${sentences[status] ?? notCarriedOut} (HTTP ${status})`;
  }
  return code === undefined ? noAnswer : `the vault could not be reached (${code}).`;
}

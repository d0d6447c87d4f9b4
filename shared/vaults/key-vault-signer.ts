import { createHash } from "node:crypto";
import type { TokenCredential } from "@azure/identity";
import type { CryptographyClient, KeyClientOptions } from "@azure/keyvault-keys";
import { z } from "zod";
import { ConfigError, VaultUnavailableError } from "../core/errors.ts";
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

/** Signs with the newest version of a key in Key Vault. Throws ConfigError when the address is not one of a vault. */
export function makeKeyVaultSigner(options: KeyVaultSignerOptions): Signer {
  const address = parseVaultAddress(options.url, options.vault);
  return {
    async sign(text, signal) {
      const digest = createHash("sha256").update(text).digest();
      try {
        return await withDeadline(signal, async (abortSignal) => {
          const client = await openKey(options, address, abortSignal);
          const { result, keyID } = await client.sign("ES256", digest, { abortSignal });
          return { key: keyID ?? client.keyID ?? "", value: toText(result) };
        });
      } catch (error) {
        throw toFailure(options, error);
      }
    },
  };
}

const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");

/**
 * Reads the newest version each time, because the key may be replaced. The first use loads the client. The address of the key is
 * made here: one that an answer names could be on another host, which would then get the token.
 */
async function openKey(
  { key, credential }: KeyVaultSignerOptions,
  address: URL,
  abortSignal: AbortSignal,
): Promise<CryptographyClient> {
  const { CryptographyClient, KeyClient } = await import("@azure/keyvault-keys");
  const options: KeyClientOptions = {
    ...(isLoopback(address) ? emulatorOnly : {}),
    // The next sweep tries again.
    retryOptions: { maxRetries: 1 },
    redirectOptions: { maxRetries: 0 },
  };
  const keys = new KeyClient(address.origin, credential, options);
  const { properties } = await keys.getKey(key, { abortSignal });
  const id = `${address.origin}/keys/${key}/${properties.version ?? ""}`;
  return new CryptographyClient(id, credential, options);
}

/** With a status the code is from the server, and is not shown. */
const refusal = z.object({
  statusCode: z.number().optional().catch(undefined),
  code: networkCode.optional().catch(undefined),
});

/** The error has no cause, because the client's error contains the token. */
function toFailure(
  { vault, key }: KeyVaultSignerOptions,
  error: unknown,
): ConfigError | VaultUnavailableError {
  const { statusCode, code } = refusal.safeParse(error).data ?? {};
  const what = `Key Vault ${vault}, sign with key ${key}`;
  if (statusCode === 400) {
    return new ConfigError(
      `${what}: the key cannot sign with ES256. Create an EC key with the curve P-256.`,
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

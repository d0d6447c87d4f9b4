import type { TokenCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { z } from "zod";
import { startCallee } from "./calls.ts";

/** The token that gives access to the vault of the bench. */
export const vaultToken = "token-of-the-bench";

/** A credential without cost, like a cached token of an identity. */
export const vaultCredential: TokenCredential = {
  getToken: () =>
    Promise.resolve({ token: vaultToken, expiresOnTimestamp: Date.now() + 24 * 3_600_000 }),
};

const tallyShape = z.object({
  /** Versions that the vault has made. */
  creates: z.number(),
  /** Answers 429. */
  throttled: z.number(),
  /** All answers, including 429. */
  requests: z.number(),
});

/** The Key Vault emulator in a process of its own. */
export interface BenchVault {
  readonly url: string;
  /** The official client, for seeding and samples. */
  readonly secrets: SecretClient;
  /** Restarts the vault at the same address, with its content and this fraction of the real limits. */
  limit(share: number): Promise<void>;
  /** Requests since it was first started. */
  tally(): Promise<z.output<typeof tallyShape>>;
  close(): Promise<void>;
}

/** Starts the vault without limits. `file` keeps its content. */
export async function startVault(file: string): Promise<BenchVault> {
  const callee = startCallee("vault.ts", [file]);
  try {
    const url = z.string().parse(await callee.call("start", null));
    return {
      url,
      secrets: new SecretClient(url, vaultCredential, {
        allowInsecureConnection: true,
        disableChallengeResourceVerification: true,
      }),
      async limit(share) {
        await callee.call("start", share);
      },
      tally: async () => tallyShape.parse(await callee.call("tally")),
      close: () => callee.close(),
    };
  } catch (error) {
    await callee.close();
    throw error;
  }
}

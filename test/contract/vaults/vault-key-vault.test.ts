import { SecretClient } from "@azure/keyvault-secrets";
import { startKeyVaultEmulator } from "../../../local/key-vault/emulator.ts";
import { makeKeyVault } from "../../../shared/vaults/key-vault.ts";
import { vaultSuite, type VaultUnderTest } from "./vault.suite.ts";
import { vaultDeletionSuite } from "./vault-deletion.suite.ts";

const start = async (): Promise<VaultUnderTest> => {
  let ahead = 0;
  const emulator = await startKeyVaultEmulator({
    acceptsToken: (token) => token === "right",
    throttleScale: Infinity,
    now: () => new Date(Date.now() + ahead),
  });
  const credential = {
    getToken: () => Promise.resolve({ token: "right", expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const plainClient = new SecretClient(emulator.url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
  return {
    vault: makeKeyVault({ name: "main", url: emulator.url, credential }),
    async versions(name) {
      const found = [];
      for await (const each of plainClient.listPropertiesOfSecretVersions(name)) {
        found.push({ version: each.version ?? "", enabled: each.enabled ?? false });
      }
      return found;
    },
    async remove(name) {
      await (await plainClient.beginDeleteSecret(name, { intervalInMs: 5 })).pollUntilDone();
    },
    async recover(name) {
      await (
        await plainClient.beginRecoverDeletedSecret(name, { intervalInMs: 5 })
      ).pollUntilDone();
    },
    advance(milliseconds) {
      ahead += milliseconds;
    },
    close: () => emulator.close(),
  };
};

vaultSuite("Azure Key Vault", start);
vaultDeletionSuite("Azure Key Vault", start);

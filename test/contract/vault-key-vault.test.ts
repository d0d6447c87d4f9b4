import { SecretClient } from "@azure/keyvault-secrets";
import { startKeyVaultEmulator } from "../../local/key-vault/emulator.ts";
import { keyVault } from "../../shared/vaults/key-vault.ts";
import { vaultSuite } from "./vault.suite.ts";

vaultSuite("Azure Key Vault", async () => {
  const emulator = await startKeyVaultEmulator({
    acceptsToken: (token) => token === "right",
    throttleScale: Infinity,
  });
  const credential = {
    getToken: () => Promise.resolve({ token: "right", expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const plainClient = new SecretClient(emulator.url, credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
  });
  return {
    vault: keyVault({ name: "main", url: emulator.url, credential }),
    async versions(name) {
      const found = [];
      for await (const each of plainClient.listPropertiesOfSecretVersions(name)) {
        found.push({ version: each.version ?? "", enabled: each.enabled ?? false });
      }
      return found;
    },
    close: () => emulator.close(),
  };
});

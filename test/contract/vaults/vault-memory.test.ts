import { makeMemoryVault } from "../../../shared/vaults/memory-vault.ts";
import { vaultSuite, type VaultUnderTest } from "./vault.suite.ts";
import { vaultDeletionSuite } from "./vault-deletion.suite.ts";

const start = (): Promise<VaultUnderTest> => {
  let ahead = 0;
  const vault = makeMemoryVault({ name: "main", now: () => new Date(Date.now() + ahead) });
  return Promise.resolve({
    vault,
    versions: (name) =>
      Promise.resolve(
        vault.versions(name).map(({ ref, enabled }) => ({ version: ref.version, enabled })),
      ),
    remove(name) {
      vault.remove(name);
      return Promise.resolve();
    },
    recover(name) {
      vault.recover(name);
      return Promise.resolve();
    },
    advance(milliseconds) {
      ahead += milliseconds;
    },
    close: () => Promise.resolve(),
  });
};

vaultSuite("a vault in memory", start);
vaultDeletionSuite("a vault in memory", start);

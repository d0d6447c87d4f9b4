import { memoryVault } from "../../shared/vaults/memory-vault.ts";
import { vaultSuite } from "./vault.suite.ts";

vaultSuite("a vault in memory", () => {
  const vault = memoryVault({ name: "main" });
  return Promise.resolve({
    vault,
    versions: (name) =>
      Promise.resolve(
        vault.versions(name).map(({ ref, enabled }) => ({ version: ref.version, enabled })),
      ),
    close: () => Promise.resolve(),
  });
});

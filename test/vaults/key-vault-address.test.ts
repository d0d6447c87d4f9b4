import type * as KeyVaultSecrets from "@azure/keyvault-secrets";
import { describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../shared/core/errors.ts";
import { makeKeyVault } from "../../shared/vaults/key-vault.ts";

const made = vi.hoisted(
  () => [] as { url: string; options: KeyVaultSecrets.SecretClientOptions }[],
);

vi.mock("@azure/keyvault-secrets", async (original) => ({
  ...(await original<typeof KeyVaultSecrets>()),
  SecretClient: class {
    constructor(url: string, _: unknown, options: KeyVaultSecrets.SecretClientOptions) {
      made.push({ url, options });
    }
    getSecret() {
      return Promise.reject(new Error("nothing is sent here"));
    }
  },
}));

const credential = { getToken: () => Promise.resolve(null) };
const vaultAt = (url: string) => makeKeyVault({ name: "main", url, credential });

async function clientFor(url: string) {
  made.length = 0;
  const vault = vaultAt(url);
  expect(made).toEqual([]);
  const signal = new AbortController().signal;
  await Promise.allSettled([vault.readCurrent("a", signal), vault.readCurrent("b", signal)]);
  expect(made).toHaveLength(1);
  return made[0];
}

describe("the address of a vault", () => {
  it.each([
    "https://kv-orders.vault.azure.net",
    "https://KV-ORDERS.vault.azure.net/",
    "https://kv-orders.vault.azure.cn",
    "https://kv-orders.vault.usgovcloudapi.net",
  ])("%s gets one client, made when it is needed, that verifies all", async (url) => {
    const client = await clientFor(url);
    expect(client?.url).toBe(new URL(url).origin);
    expect(client?.options).not.toHaveProperty("allowInsecureConnection");
    expect(client?.options).not.toHaveProperty("disableChallengeResourceVerification");
  });

  it.each([
    "http://127.0.0.1:8443",
    "https://127.0.0.1:8443",
    "http://127.8.9.10:1",
    "http://[::1]:8443",
    "http://localhost:8443",
  ])("%s is an emulator, which has neither certificate nor name", async (url) => {
    const client = await clientFor(url);
    expect(client?.options).toMatchObject({
      allowInsecureConnection: true,
      disableChallengeResourceVerification: true,
    });
  });

  it.each([
    "",
    "kv-orders.vault.azure.net",
    "http://kv-orders.vault.azure.net",
    "ftp://kv-orders.vault.azure.net",
    "https://vault.azure.net",
    "https://kvvault.azure.net",
    "https://kv-orders.vault.azure.net.evil.example",
    "https://evil.example/kv.vault.azure.net",
    "https://evil.example#.vault.azure.net",
    "https://evil.example?.vault.azure.net",
    "https://kv-orders.vault.azure.net:8443",
    "https://kv-orders.vault.azure.net/secrets",
    "https://kv-orders.vault.azure.net@evil.example",
    "https://user:hunter2@kv-orders.vault.azure.net",
    "https://10.0.0.1",
    "http://10.0.0.1",
    "http://0.0.0.0:8443",
    "http://127.0.0.1.evil.example",
    "http://localhost.evil.example",
    "http://[::ffff:10.0.0.1]",
  ])("%j is refused before anything is sent", (url) => {
    made.length = 0;
    expect(() => vaultAt(url)).toThrow(ConfigError);
    expect(() => vaultAt(url)).toThrow(/the vault main/);
    expect(() => vaultAt(url)).not.toThrow(/hunter2/);
    expect(made).toEqual([]);
  });
});

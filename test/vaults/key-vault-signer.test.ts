import { createPublicKey, verify } from "node:crypto";
import { KeyClient } from "@azure/keyvault-keys";
import { expect, test } from "vitest";
import { ConfigError, VaultUnavailableError } from "../../shared/core/errors.ts";
import { makeKeyVaultSigner } from "../../shared/vaults/key-vault-signer.ts";
import { startVault, TOKEN } from "../local/key-vault/key-vault-emulator-fixture.ts";

const credential = {
  getToken: () => Promise.resolve({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const options = { allowInsecureConnection: true, disableChallengeResourceVerification: true };
const signal = () => AbortSignal.timeout(20_000);

async function start(key = "ledger") {
  const { emulator } = await startVault();
  const keys = new KeyClient(emulator.url, credential, options);
  const signer = makeKeyVaultSigner({ vault: "main", url: emulator.url, key, credential });
  return { emulator, keys, signer };
}

test("The newest version of the key signs a text, and its public part verifies the signature", async () => {
  const { keys, signer } = await start();
  await keys.createEcKey("ledger");
  const { id, key: { x, y } = {} } = await keys.createEcKey("ledger");
  const signature = await signer.sign("a head", signal());
  expect(signature.key).toBe(id);
  const toText = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", x: toText(x), y: toText(y) };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const value = Buffer.from(signature.value, "base64url");
  const how = { key, dsaEncoding: "ieee-p1363" } as const;
  expect(verify("sha256", Buffer.from("a head"), how, value)).toBe(true);
  expect(verify("sha256", Buffer.from("another head"), how, value)).toBe(false);
});

test("A key that does not exist, a refusal and an outage are named, and show no token", async () => {
  const { emulator, keys, signer } = await start();
  await expect(signer.sign("x", signal())).rejects.toThrow(
    "Key Vault main, sign with key ledger: the key does not exist. Create an EC key with the curve P-256. (HTTP 404)",
  );
  await keys.createEcKey("ledger");
  emulator.faults.add({ kind: "refusal", reason: "forbidden", match: { operation: "sign" } });
  await expect(signer.sign("x", signal())).rejects.toThrow("Key Vault Crypto User");
  await emulator.close();
  const failure = await signer.sign("x", signal()).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(VaultUnavailableError);
  expect(String(failure)).toContain("could not be reached");
  expect(JSON.stringify(failure)).not.toContain(TOKEN);
});

test("The address must be one of a vault", () => {
  const url = "https://example.com";
  const make = () => makeKeyVaultSigner({ vault: "main", url, key: "ledger", credential });
  expect(make).toThrow(ConfigError);
});

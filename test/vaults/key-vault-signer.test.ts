import { createPublicKey, verify } from "node:crypto";
import { KeyClient } from "@azure/keyvault-keys";
import { expect, test } from "vitest";
import { ConfigError, VaultUnavailableError } from "../../shared/core/errors.ts";
import { type Head, toSignedText } from "../../shared/core/ledger/chain.ts";
import { makeKeyVaultSigner } from "../../shared/vaults/key-vault-signer.ts";
import type { Signer } from "../../shared/vaults/signer.ts";
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

const head = (sequence: number): Head => ({
  ...{ segment: sequence, first: sequence, sequence, hash: "a".repeat(64) },
  at: "2026-03-01T12:00:00.000Z",
});
const sign = async (signer: Signer, signed: Head) =>
  (await signer.open(signal())).sign(signed, signal());
const lastOf = async (signer: Signer) => (await signer.open(signal())).last;

test("The newest version of the key signs a text, and its public part verifies the signature", async () => {
  const { keys, signer } = await start();
  await keys.createEcKey("ledger");
  const { id, key: { x, y } = {} } = await keys.createEcKey("ledger");
  const signature = await sign(signer, head(1));
  expect(signature.key).toBe(id);
  const toText = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString("base64url");
  const jwk = { kty: "EC", crv: "P-256", x: toText(x), y: toText(y) };
  const key = createPublicKey({ key: jwk, format: "jwk" });
  const value = Buffer.from(signature.value, "base64url");
  const how = { key, dsaEncoding: "ieee-p1363" } as const;
  expect(verify("sha256", Buffer.from(toSignedText(head(1))), how, value)).toBe(true);
  expect(verify("sha256", Buffer.from(toSignedText(head(2))), how, value)).toBe(false);
});

test("A key that does not exist, a refusal and an outage are named, and show no token", async () => {
  const { emulator, keys, signer } = await start();
  await expect(sign(signer, head(1))).rejects.toThrow(
    "Key Vault main, sign with key ledger: the key does not exist. Create an EC key with the curve P-256. (HTTP 404)",
  );
  await keys.createEcKey("ledger");
  emulator.faults.add({ kind: "refusal", reason: "forbidden", match: { operation: "sign" } });
  await expect(sign(signer, head(1))).rejects.toThrow("Key Vault Crypto User");
  await emulator.close();
  const failure = await sign(signer, head(1)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(VaultUnavailableError);
  expect(String(failure)).toContain("could not be reached");
  expect(JSON.stringify(failure)).not.toContain(TOKEN);
});

test("The address must be one of a vault", () => {
  const url = "https://example.com";
  const make = () => makeKeyVaultSigner({ vault: "main", url, key: "ledger", credential });
  expect(make).toThrow(ConfigError);
});

test("The key remembers the head that it signed last, beside the tags that people gave it", async () => {
  const { keys, signer } = await start();
  const { properties } = await keys.createEcKey("ledger");
  await keys.updateKeyProperties("ledger", properties.version ?? "", { tags: { team: "audit" } });
  expect(await lastOf(signer)).toBeUndefined();
  await sign(signer, head(3));
  await sign(signer, head(12));
  expect(await lastOf(signer)).toEqual(head(12));
  expect((await keys.getKey("ledger")).properties.tags).toMatchObject({ team: "audit" });
});

test("A new version of the key knows what the versions before it signed", async () => {
  const { keys, signer } = await start();
  for (const sequence of [5, 12, 7]) {
    await keys.createEcKey("ledger");
    await sign(signer, head(sequence));
  }
  await keys.createEcKey("ledger");
  expect(await lastOf(signer)).toEqual(head(12));
});

test("Without the rights to tag and to list, the key signs and remembers nothing", async () => {
  const { emulator, keys, signer } = await start();
  await keys.createEcKey("ledger");
  for (const operation of ["update-key", "list-key-versions"] as const) {
    const refusal = { kind: "refusal", reason: "forbidden" } as const;
    emulator.faults.add({ ...refusal, match: { operation }, times: 9 });
  }
  expect((await sign(signer, head(1))).value).not.toBe("");
  expect(await lastOf(signer)).toBeUndefined();
});

test("A head is not signed for good before the key remembers it", async () => {
  const { emulator, keys, signer } = await start();
  await keys.createEcKey("ledger");
  const match = { operation: "update-key" } as const;
  emulator.faults.add({ kind: "status", status: 503, match, times: 9 });
  await expect(sign(signer, head(1))).rejects.toThrow(VaultUnavailableError);
});

test("A tag that somebody edited is an error, and not a key without a memory", async () => {
  const { keys, signer } = await start();
  const { properties } = await keys.createEcKey("ledger");
  const tags = { "keyturn-last-head": "12" };
  await keys.updateKeyProperties("ledger", properties.version ?? "", { tags });
  await expect(signer.open(signal())).rejects.toThrow(
    new ConfigError(
      "The tag keyturn-last-head of the key ledger was changed by hand and cannot be read. Restore it, or remove it.",
    ),
  );
});

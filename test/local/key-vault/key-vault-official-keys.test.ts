/** Keys, through Microsoft's own client as it is. */
import { createHash, createPublicKey, verify } from "node:crypto";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { describe, expect, test } from "vitest";
import { startVault, TOKEN, vaultFile } from "./key-vault-emulator-fixture.ts";

const credential = {
  getToken: () => Promise.resolve({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
};
const options = {
  allowInsecureConnection: true,
  disableChallengeResourceVerification: true,
  retryOptions: { retryDelayInMs: 1, maxRetryDelayInMs: 10 },
};

async function startKeys(more: Parameters<typeof startVault>[0] = {}) {
  const { emulator } = await startVault(more);
  return { emulator, keys: new KeyClient(emulator.url, credential, options) };
}

describe("a key that is created through the official client", () => {
  test("has an address with its version, and no private part", async () => {
    const { emulator, keys } = await startKeys();
    const made = await keys.createEcKey("ledger", { curve: "P-256" });
    const { version = "" } = made.properties;
    expect(made.id).toBe(`${emulator.url}/keys/ledger/${version}`);
    expect(made.key).toMatchObject({ kty: "EC", crv: "P-256" });
    expect(made.key?.d).toBeUndefined();
    expect((await keys.getKey("ledger")).id).toBe(made.id);
  });

  test("signs digests, which the public key verifies", async () => {
    const { keys } = await startKeys();
    const first = await keys.createEcKey("ledger");
    const second = await keys.createEcKey("ledger");
    expect((await keys.getKey("ledger")).id).toBe(second.id);
    for (const made of [first, second]) {
      const client = new CryptographyClient(made, credential, options);
      const text = Buffer.from("a text");
      const digest = createHash("sha256").update(text).digest();
      const { result, keyID } = await client.sign("ES256", digest);
      expect(keyID).toBe(made.id);
      const part = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString("base64url");
      const jwk = { kty: "EC", crv: "P-256", x: part(made.key?.x), y: part(made.key?.y) };
      const key = createPublicKey({ key: jwk, format: "jwk" });
      expect(verify("sha256", text, { key, dsaEncoding: "ieee-p1363" }, result)).toBe(true);
      expect(verify("sha256", text, { key, dsaEncoding: "ieee-p1363" }, digest)).toBe(false);
    }
  });

  test("does not sign with an algorithm of another kind of key", async () => {
    const { keys } = await startKeys();
    const client = new CryptographyClient(await keys.createEcKey("ledger"), credential, options);
    const refused = { statusCode: 400, code: "BadParameter" };
    await expect(client.sign("RS256", Buffer.alloc(32))).rejects.toMatchObject(refused);
  });

  test("has the tags of its last update, each version its own", async () => {
    const { keys } = await startKeys();
    const versions = [await keys.createEcKey("ledger"), await keys.createEcKey("ledger")].map(
      ({ properties }) => properties.version ?? "",
    );
    const [older = "", newer = ""] = versions;
    await keys.updateKeyProperties("ledger", older, { tags: { a: "1", b: "2" } });
    const updated = await keys.updateKeyProperties("ledger", older, { tags: { b: "3" } });
    expect(updated.properties.tags).toEqual({ b: "3" });
    const listed = new Map<string, unknown>();
    for await (const { version, tags } of keys.listPropertiesOfKeyVersions("ledger")) {
      listed.set(version ?? "", tags);
    }
    expect(listed).toEqual(
      new Map<string, unknown>([
        [older, { b: "3" }],
        [newer, undefined],
      ]),
    );
    const long = { tags: { a: "x".repeat(257) } };
    await expect(keys.updateKeyProperties("ledger", newer, long)).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  test("is there after a restart", async () => {
    const file = await vaultFile();
    const before = await startKeys({ file });
    const made = await before.keys.createEcKey("ledger");
    const tags = { team: "audit" };
    await before.keys.updateKeyProperties("ledger", made.properties.version ?? "", { tags });
    await before.emulator.close();
    const { keys } = await startKeys({ file });
    const after = await keys.getKey("LEDGER");
    expect(after.key?.x).toEqual(made.key?.x);
    expect(after.properties.tags).toEqual(tags);
  });
});

test("A key that does not exist is not found, even if a secret has its name", async () => {
  const { emulator, client } = await startVault();
  await client.setSecret("ledger", "value");
  const keys = new KeyClient(emulator.url, credential, options);
  await expect(keys.getKey("ledger")).rejects.toMatchObject({
    statusCode: 404,
    code: "KeyNotFound",
  });
});

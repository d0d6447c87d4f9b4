/** The behaviour of writes and reads that Microsoft's own tests of the client expect. */
import { describe, expect, test } from "vitest";
import { createClock, startVault } from "./key-vault-emulator-fixture.ts";

const notFound = { statusCode: 404, code: "SecretNotFound" };
const aborted = { name: "AbortError", message: /^The operation was aborted/ };
const expiresOn = new Date("2027-01-01T00:00:00Z");

describe("a secret that is written through the official client", () => {
  test("has the name and the value that it was given", async () => {
    const { client } = await startVault();
    const written = await client.setSecret("orders-db", "SECRET_VALUE");
    expect(written).toMatchObject({ name: "orders-db", value: "SECRET_VALUE" });
    expect(written.properties).toMatchObject({ name: "orders-db", enabled: true });
  });

  test("may have an empty value", async () => {
    const { client } = await startVault();
    expect(await client.setSecret("orders-db", "")).toMatchObject({ name: "orders-db", value: "" });
    expect((await client.getSecret("orders-db")).value).toBe("");
  });

  test("keeps its expiry, start, content type, tags and enabled state", async () => {
    const { client } = await startVault();
    const given = {
      expiresOn,
      notBefore: new Date("2026-01-01T00:00:00Z"),
      contentType: "text/plain",
      tags: { owner: "orders" },
      enabled: true,
    };
    expect((await client.setSecret("orders-db", "value", given)).properties).toMatchObject(given);
    expect((await client.getSecret("orders-db")).properties).toMatchObject(given);
  });

  test("may expire a thousand years ahead", async () => {
    const { send, client } = await startVault();
    const exp = Date.parse("3000-01-01T00:00:00Z") / 1000;
    const body = JSON.stringify({ value: "value", attributes: { exp } });
    expect((await send("PUT", "/secrets/orders-db", { body })).status).toBe(200);
    const { properties } = await client.getSecret("orders-db");
    expect(properties.expiresOn).toEqual(new Date("3000-01-01T00:00:00Z"));
  });

  test("has an id that names the vault, the name and the version", async () => {
    const { client, emulator } = await startVault();
    const { properties } = await client.setSecret("orders-db", "value");
    expect(properties.version).toMatch(/^[0-9a-f]{32}$/);
    expect(properties.id).toBe(`${emulator.url}/secrets/orders-db/${properties.version ?? ""}`);
    expect(properties.vaultUrl).toBe(emulator.url);
  });

  test.each(["", "under_score", "a.b", "a b", "ü", "x".repeat(128)])(
    "cannot have the name %j",
    async (name) => {
      const { client } = await startVault();
      const refused = client.setSecret(name, "value");
      await expect(refused).rejects.toMatchObject({ name: "RestError" });
      await expect(refused).rejects.toHaveProperty("statusCode", name === "" ? 405 : 400);
    },
  );

  test("says which name is invalid", async () => {
    const { client } = await startVault();
    await expect(client.setSecret("under_score", "value")).rejects.toMatchObject({
      statusCode: 400,
      code: "BadParameter",
      message: "The request URI contains an invalid name: under_score",
    });
  });
});

describe("a secret that is read through the official client", () => {
  test("is the newest version, or the requested one", async () => {
    const { client } = await startVault();
    const first = await client.setSecret("orders-db", "first");
    await client.setSecret("orders-db", "second");
    expect(await client.getSecret("orders-db")).toMatchObject({
      name: "orders-db",
      value: "second",
    });
    const version = first.properties.version ?? "";
    expect(await client.getSecret("orders-db", { version })).toMatchObject({
      name: "orders-db",
      value: "first",
      properties: { version },
    });
  });

  test("is refused with the service's message while it is disabled", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value", { enabled: false });
    await expect(client.getSecret("orders-db")).rejects.toMatchObject({
      statusCode: 403,
      code: "Forbidden",
      message: "Operation get is not allowed on a disabled secret.",
      details: { error: { innerError: { code: "SecretDisabled" } } },
    });
  });

  test("is not found under a name that was never written", async () => {
    const { client } = await startVault();
    await expect(client.getSecret("nobody")).rejects.toMatchObject(notFound);
    await expect(client.getSecret("nobody")).rejects.toThrow(
      /^A secret with \(name\/id\) nobody was not found in this key vault\./,
    );
  });

  test("is not found under a version that was never written", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value");
    const version = "0".repeat(32);
    await expect(client.getSecret("orders-db", { version })).rejects.toMatchObject(notFound);
  });

  test("cannot be requested by a text that is not a version", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value");
    await expect(client.getSecret("orders-db", { version: "latest" })).rejects.toMatchObject({
      statusCode: 400,
      code: "BadParameter",
      message: "Method GET does not allow operation 'latest'",
    });
  });
});

describe("properties that are updated through the official client", () => {
  test("are those of the newest version when none is named", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value");
    const updated = await client.updateSecretProperties("orders-db", "", { expiresOn });
    expect(updated).toMatchObject({ name: "orders-db", expiresOn });
    expect(await client.getSecret("orders-db")).toMatchObject({
      value: "value",
      properties: { expiresOn },
    });
  });

  test("may be those of a disabled version", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value", { enabled: false });
    const updated = await client.updateSecretProperties("orders-db", "", { expiresOn });
    expect(updated).toMatchObject({ expiresOn, enabled: false });
    await client.updateSecretProperties("orders-db", "", { enabled: true });
    expect((await client.getSecret("orders-db")).properties).toMatchObject({ expiresOn });
  });

  test("are those of an older version when it is named", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now });
    const version = (await client.setSecret("orders-db", "first")).properties.version ?? "";
    await client.setSecret("orders-db", "second");
    clock.advance(3_000);
    const updated = await client.updateSecretProperties("orders-db", version, {
      contentType: "text/plain",
      tags: { owner: "orders" },
    });
    expect(updated).toMatchObject({
      version,
      contentType: "text/plain",
      tags: { owner: "orders" },
    });
    expect(updated.updatedOn).toEqual(new Date("2026-11-22T00:00:03Z"));
    expect(updated.createdOn).toEqual(new Date("2026-11-22T00:00:00Z"));
    const current = await client.getSecret("orders-db");
    expect(current.properties.contentType).toBeUndefined();
  });

  test.each(["", "0".repeat(32)])("need a secret with the version %j", async (version) => {
    const { client } = await startVault();
    const update = client.updateSecretProperties("nobody", version, { enabled: false });
    await expect(update).rejects.toMatchObject(notFound);
  });
});

describe("a call of the official client that is cancelled", () => {
  test("does nothing when it was cancelled before it began", async () => {
    const { client, emulator } = await startVault();
    const abortSignal = AbortSignal.abort();
    for (const call of [
      client.setSecret("orders-db", "value", { abortSignal }),
      client.getSecret("orders-db", { abortSignal }),
      client.updateSecretProperties("orders-db", "", { enabled: true, abortSignal }),
      client.beginDeleteSecret("orders-db", { abortSignal }),
    ]) {
      await expect(call).rejects.toThrow(aborted.message);
      await expect(call).rejects.toHaveProperty("name", aborted.name);
    }
    expect(emulator.journal).toEqual([]);
  });

  test("ends while the service is still at work", async () => {
    const { client, emulator } = await startVault();
    await client.setSecret("orders-db", "value");
    emulator.faults.add({ match: {}, kind: "latency", ms: 600_000, times: Infinity });
    const requestOptions = { timeout: 1 };
    for (const call of [
      client.setSecret("orders-db", "value", { requestOptions }),
      client.getSecret("orders-db", { requestOptions }),
      client.updateSecretProperties("orders-db", "", { expiresOn, requestOptions }),
      client.beginDeleteSecret("orders-db", { requestOptions }),
      client.listPropertiesOfSecrets({ requestOptions }).next(),
      client.listDeletedSecrets({ requestOptions }).next(),
      client.listPropertiesOfSecretVersions("orders-db", { requestOptions }).next(),
    ]) {
      await expect(call).rejects.toThrow(aborted.message);
    }
  });
});

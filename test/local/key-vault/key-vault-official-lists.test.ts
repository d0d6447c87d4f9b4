/** The behaviour of lists that Microsoft's own tests of the client expect. */
import type { SecretClient } from "@azure/keyvault-secrets";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { collect, startVault } from "./key-vault-emulator-fixture.ts";

const names = ["orders-0", "orders-1", "orders-2"];
const pageShape = z.object({ nextLink: z.url() });
const soon = { intervalInMs: 1 };

async function writeAll(client: SecretClient): Promise<void> {
  for (const name of names) await client.setSecret(name, "value", { tags: { name } });
}

async function deleteAll(client: SecretClient): Promise<void> {
  for (const name of names) await (await client.beginDeleteSecret(name, soon)).pollUntilDone();
}

async function writeVersions(client: SecretClient, count: number): Promise<Map<string, string>> {
  const written = new Map<string, string>();
  for (let index = 0; index < count; index += 1) {
    const { properties, value = "" } = await client.setSecret("orders-db", `value-${index}`);
    written.set(properties.version ?? "", value);
  }
  return written;
}

describe("secrets that are listed through the official client", () => {
  test("have one entry for each name, with its properties and without value or version", async () => {
    const { client, emulator } = await startVault();
    await writeAll(client);
    await client.setSecret("orders-0", "newer", { tags: { name: "newer" } });
    const listed = await collect(client.listPropertiesOfSecrets());
    expect(listed.map(({ name }) => name)).toEqual(names);
    expect(listed[0]).toMatchObject({
      id: `${emulator.url}/secrets/orders-0`,
      vaultUrl: emulator.url,
      enabled: true,
      tags: { name: "newer" },
      version: undefined,
    });
  });

  test.each([1, 2, 25])("come in pages of %i", async (maxPageSize) => {
    const { client } = await startVault();
    await writeAll(client);
    const pages = await collect(client.listPropertiesOfSecrets().byPage({ maxPageSize }));
    expect(pages.every((page) => page.length <= maxPageSize)).toBe(true);
    expect(pages.flat().map(({ name }) => name)).toEqual(names);
  });

  test("go on where another listing stopped", async () => {
    const { client, send } = await startVault();
    await writeAll(client);
    // The client itself loses the link of a page that it returns.
    const first = pageShape.parse(await (await send("GET", "/secrets?maxresults=1")).json());
    const continuationToken = first.nextLink;
    const rest = await collect(client.listPropertiesOfSecrets().byPage({ continuationToken }));
    expect(rest.flat().map(({ name }) => name)).toEqual(["orders-1", "orders-2"]);
  });

  test("are none in an empty vault", async () => {
    const { client } = await startVault();
    expect(await collect(client.listPropertiesOfSecrets())).toEqual([]);
    expect(await collect(client.listDeletedSecrets())).toEqual([]);
  });
});

describe("deleted secrets that are listed through the official client", () => {
  test("have what is needed to recover them", async () => {
    const { client, emulator } = await startVault();
    await writeAll(client);
    await deleteAll(client);
    const listed = await collect(client.listDeletedSecrets());
    expect(listed.map(({ name }) => name)).toEqual(names);
    for (const { name, recoveryId, deletedOn, scheduledPurgeDate } of listed) {
      expect(recoveryId).toBe(`${emulator.url}/deletedsecrets/${name}`);
      expect(deletedOn).toBeInstanceOf(Date);
      expect(scheduledPurgeDate).toBeInstanceOf(Date);
    }
    expect(await collect(client.listPropertiesOfSecrets())).toEqual([]);
  });

  test.each([1, 2])("come in pages of %i", async (maxPageSize) => {
    const { client } = await startVault();
    await writeAll(client);
    await deleteAll(client);
    const pages = await collect(client.listDeletedSecrets().byPage({ maxPageSize }));
    expect(pages.every((page) => page.length <= maxPageSize)).toBe(true);
    expect(pages.flat().map(({ name }) => name)).toEqual(names);
  });
});

describe("versions that are listed through the official client", () => {
  test("are all of them, and each can be read", async () => {
    const { client } = await startVault();
    const written = await writeVersions(client, 3);
    const read = new Map<string, string>();
    for (const { version = "" } of await collect(
      client.listPropertiesOfSecretVersions("orders-db"),
    )) {
      read.set(version, (await client.getSecret("orders-db", { version })).value ?? "");
    }
    expect(new Map([...read].sort())).toEqual(new Map([...written].sort()));
  });

  test.each([1, 2])("come in pages of %i", async (maxPageSize) => {
    const { client } = await startVault();
    const written = await writeVersions(client, 3);
    const pages = await collect(
      client.listPropertiesOfSecretVersions("orders-db").byPage({ maxPageSize }),
    );
    expect(pages.every((page) => page.length <= maxPageSize)).toBe(true);
    expect(pages.flat().map(({ version }) => version)).toEqual([...written.keys()].sort());
    expect(pages.flat().every(({ name }) => name === "orders-db")).toBe(true);
  });

  test("have pages of 25 entries by default", async () => {
    const { client } = await startVault();
    await writeVersions(client, 51);
    const pages = await collect(client.listPropertiesOfSecretVersions("orders-db").byPage());
    expect(pages.map((page) => page.length)).toEqual([25, 25, 1]);
  });

  test("include disabled ones, without values", async () => {
    const { client } = await startVault();
    const [version = ""] = (await writeVersions(client, 1)).keys();
    await client.updateSecretProperties("orders-db", version, { enabled: false });
    const listed = await collect(client.listPropertiesOfSecretVersions("orders-db"));
    expect(listed).toMatchObject([{ version, enabled: false }]);
    expect(JSON.stringify(listed)).not.toContain("value-0");
  });

  test("are empty for a name that was never written, with or without pages", async () => {
    const { client } = await startVault();
    expect(await collect(client.listPropertiesOfSecretVersions("nobody"))).toEqual([]);
    const pages = client.listPropertiesOfSecretVersions("nobody").byPage({ maxPageSize: 1 });
    expect((await collect(pages)).flat()).toEqual([]);
  });

  test("are empty for a deleted secret, and complete after its recovery", async () => {
    const { client } = await startVault();
    await writeVersions(client, 2);
    await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
    expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toEqual([]);
    await (await client.beginRecoverDeletedSecret("orders-db", soon)).pollUntilDone();
    expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(2);
  });
});

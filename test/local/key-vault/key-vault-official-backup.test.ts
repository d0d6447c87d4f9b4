/** The behaviour of backup and restore that Microsoft's own tests of the client expect. */
import type { SecretClient } from "@azure/keyvault-secrets";
import { expect, test } from "vitest";
import type { KeyVaultEvent } from "../../../local/key-vault/announcements.ts";
import { collect, createClock, startVault, vaultFile } from "./key-vault-emulator-fixture.ts";

const soon = { intervalInMs: 1 };

async function backUp(client: SecretClient): Promise<Uint8Array> {
  const backup = await client.backupSecret("orders-db");
  if (backup === undefined) throw new Error("expected a backup");
  return backup;
}

async function purge(client: SecretClient): Promise<void> {
  await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
  await client.purgeDeletedSecret("orders-db");
}

test("a backup is bytes", async () => {
  const { client } = await startVault();
  await client.setSecret("orders-db", "value");
  const backup = await backUp(client);
  expect(backup).toBeInstanceOf(Uint8Array);
  expect(backup.length).toBeGreaterThan(0);
});

test("a missing or deleted secret cannot be backed up", async () => {
  const { client } = await startVault();
  const notFound = { statusCode: 404, code: "SecretNotFound" };
  await expect(client.backupSecret("nobody")).rejects.toMatchObject(notFound);
  await client.setSecret("orders-db", "value");
  await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
  await expect(client.backupSecret("orders-db")).rejects.toMatchObject(notFound);
});

test("a restored secret has every version unchanged, and outlives the process", async () => {
  const clock = createClock();
  const file = await vaultFile();
  const before = await startVault({ now: clock.now, file });
  await before.client.setSecret("orders-db", "first", { contentType: "text/plain" });
  clock.advance(5_000);
  await before.client.setSecret("orders-db", "second", { enabled: false, tags: { a: "b" } });
  clock.advance(5_000);
  await before.client.updateSecretProperties("orders-db", "", { enabled: true });
  const versions = () => collect(before.client.listPropertiesOfSecretVersions("orders-db"));
  const listed = await versions();
  const backup = await backUp(before.client);
  await purge(before.client);
  clock.advance(86_400_000);
  const restored = await before.client.restoreSecretBackup(backup);
  expect(restored).toMatchObject({ name: "orders-db", tags: { a: "b" } });
  expect(await versions()).toEqual(listed);
  await before.emulator.close();

  const after = await startVault({ now: clock.now, file });
  expect((await after.client.getSecret("orders-db")).value).toBe("second");
  expect(await collect(after.client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(2);
});

test("a backup can be restored in another vault", async () => {
  const [one, other] = [await startVault(), await startVault()];
  const { properties } = await one.client.setSecret("orders-db", `pa"ss\\ ü 🔑`);
  await other.client.restoreSecretBackup(await backUp(one.client));
  const found = await other.client.getSecret("orders-db");
  expect(found.value).toBe(`pa"ss\\ ü 🔑`);
  expect(found.properties).toMatchObject({
    version: properties.version,
    vaultUrl: other.emulator.url,
  });
});

test("a restored secret is not announced again", async () => {
  const events: KeyVaultEvent[] = [];
  const { client, emulator } = await startVault({
    onEvent: (event) => {
      events.push(event);
    },
  });
  await client.setSecret("orders-db", "value");
  const backup = await backUp(client);
  await purge(client);
  await emulator.tick();
  events.length = 0;
  await client.restoreSecretBackup(backup);
  await emulator.tick();
  expect(events).toEqual([]);
});

test("a secret is not restored over one that is there", async () => {
  const { client } = await startVault();
  await client.setSecret("orders-db", "first");
  const backup = await backUp(client);
  await client.setSecret("orders-db", "second");
  await expect(client.restoreSecretBackup(backup)).rejects.toMatchObject({
    statusCode: 409,
    code: "Conflict",
    message: /^Conflict while restoring secret http.*secret already exists or concurrent access$/,
  });
  expect((await client.getSecret("orders-db")).value).toBe("second");
  await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
  await expect(client.restoreSecretBackup(backup)).rejects.toMatchObject({ statusCode: 409 });
});

test("bytes that are not a backup are refused with the service's message", async () => {
  const { client } = await startVault();
  await client.setSecret("orders-db", "value");
  const backup = await backUp(client);
  await purge(client);
  const corrupt = Uint8Array.from(backup);
  corrupt.set([(corrupt.at(-9) ?? 0) ^ 1], corrupt.length - 9);
  for (const bytes of [new Uint8Array(4728), new Uint8Array(), corrupt, backup.slice(0, -1)]) {
    await expect(client.restoreSecretBackup(bytes)).rejects.toMatchObject({
      statusCode: 400,
      code: "BadParameter",
      message: "Backup blob contains invalid or corrupt version.",
    });
  }
  await expect(client.getSecret("orders-db")).rejects.toMatchObject({ statusCode: 404 });
});

test("a name with more than 500 versions cannot be backed up", async () => {
  const { client } = await startVault({ throttleScale: Infinity });
  for (let count = 0; count < 500; count += 50) {
    await Promise.all(Array.from({ length: 50 }, () => client.setSecret("orders-db", "value")));
  }
  const backup = await backUp(client);
  await client.setSecret("orders-db", "one too many");
  await expect(client.backupSecret("orders-db")).rejects.toMatchObject({
    statusCode: 400,
    code: "BadParameter",
  });
  await purge(client);
  await client.restoreSecretBackup(backup);
  expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(500);
});

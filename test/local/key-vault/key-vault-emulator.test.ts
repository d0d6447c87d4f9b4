import { describe, expect, test } from "vitest";
import { z } from "zod";
import { collect, createClock, DAY, startVault, TOKEN } from "./key-vault-emulator-fixture.ts";

const notFound = { statusCode: 404, code: "SecretNotFound" };
const catchConflict = (inner: string) => ({
  statusCode: 409,
  code: "Conflict",
  details: { error: { innerError: { code: inner } } },
});
const disabled = {
  statusCode: 403,
  code: "Forbidden",
  details: { error: { innerError: { code: "SecretDisabled" } } },
};

const pageShape = z.object({
  value: z.array(z.object({ id: z.string() })),
  nextLink: z.string().nullable(),
});

describe("the official client on the Key Vault emulator", () => {
  test("is challenged once and then works with its token", async () => {
    const { emulator, client } = await startVault();
    await client.setSecret("orders-db", "first");
    await client.getSecret("orders-db");
    expect(emulator.journal).toEqual([
      { method: "PUT", path: "/secrets/orders-db", status: 401 },
      { method: "PUT", path: "/secrets/orders-db", status: 200 },
      { method: "GET", path: "/secrets/orders-db/", status: 200 },
    ]);
  });

  test("reads back everything it wrote", async () => {
    const clock = createClock("2026-11-22T10:00:00.900Z");
    const { client, emulator } = await startVault({ now: clock.now });
    const expiresOn = new Date("2027-02-20T10:00:00Z");
    const notBefore = new Date("2026-11-22T10:00:00Z");
    const value = `pa"ss\\wörd\n🔑`;
    const tags = { "keyturn-target": "orders-db", leer: "" };
    await client.setSecret("orders-db", value, {
      contentType: "application/json",
      tags,
      expiresOn,
      notBefore,
    });
    const read = await client.getSecret("orders-db");
    expect(read.value).toBe(value);
    expect(read.properties).toMatchObject({
      name: "orders-db",
      vaultUrl: emulator.url,
      contentType: "application/json",
      tags,
      enabled: true,
      expiresOn,
      notBefore,
      createdOn: new Date("2026-11-22T10:00:00Z"),
      updatedOn: new Date("2026-11-22T10:00:00Z"),
      recoveryLevel: "Recoverable+Purgeable",
      recoverableDays: 90,
    });
    expect(read.properties.version).toMatch(/^[0-9a-f]{32}$/);
  });

  test("gets the version made last although all carry the same second", async () => {
    const { client } = await startVault({ now: createClock().now });
    const versions: (string | undefined)[] = [];
    for (const value of ["one", "two", "three", "four"]) {
      versions.push((await client.setSecret("orders-db", value)).properties.version);
    }
    expect((await client.getSecret("orders-db")).value).toBe("four");
    for (const [index, value] of ["one", "two", "three", "four"].entries()) {
      const version = versions[index] ?? "";
      expect((await client.getSecret("orders-db", { version })).value).toBe(value);
    }
  });

  test("finds nothing inherited by a new version", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "one", { contentType: "text/plain", tags: { a: "b" } });
    const { properties } = await client.setSecret("orders-db", "two");
    expect(properties.contentType).toBeUndefined();
    expect(properties.tags).toBeUndefined();
  });

  test("changes only the given properties, and replaces all tags", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now });
    const made = await client.setSecret("orders-db", "one", {
      contentType: "text/plain",
      tags: { a: "1", b: "2" },
    });
    const version = made.properties.version ?? "";
    clock.advance(5000);
    await client.updateSecretProperties("orders-db", version, { tags: { c: "3" } });
    const updated = await client.updateSecretProperties("orders-db", version, { enabled: true });
    expect(updated).toMatchObject({ contentType: "text/plain", tags: { c: "3" } });
    expect(updated.updatedOn?.getTime()).toBe((updated.createdOn?.getTime() ?? 0) + 5000);
    expect((await client.getSecret("orders-db")).value).toBe("one");
  });

  test("is refused when the newest version is disabled, and does not get an older one", async () => {
    const { client } = await startVault();
    const older = await client.setSecret("orders-db", "one");
    const newest = await client.setSecret("orders-db", "two", { enabled: false });
    await expect(client.getSecret("orders-db")).rejects.toMatchObject(disabled);
    const exact = { version: newest.properties.version ?? "" };
    await expect(client.getSecret("orders-db", exact)).rejects.toMatchObject(disabled);
    const old = await client.getSecret("orders-db", { version: older.properties.version ?? "" });
    expect(old.value).toBe("one");
    const [listed] = await collect(client.listPropertiesOfSecrets());
    expect(listed?.enabled).toBe(false);
    await client.updateSecretProperties("orders-db", exact.version, { enabled: true });
    expect((await client.getSecret("orders-db")).value).toBe("two");
  });

  test("may read outside the advisory dates", async () => {
    const { client } = await startVault();
    await client.setSecret("over", "old", { expiresOn: new Date(0) });
    await client.setSecret("early", "new", { notBefore: new Date(Date.now() + DAY) });
    expect((await client.getSecret("over")).value).toBe("old");
    expect((await client.getSecret("early")).value).toBe("new");
  });

  test("finds names without regard to case", async () => {
    const { client } = await startVault();
    await client.setSecret("Orders-DB", "one");
    await client.setSecret("orders-db", "two");
    expect((await client.getSecret("ORDERS-DB")).value).toBe("two");
    expect(await collect(client.listPropertiesOfSecrets())).toHaveLength(1);
  });

  test("gets an error for a missing secret", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "one");
    const version = "0".repeat(32);
    await expect(client.getSecret("nobody")).rejects.toMatchObject(notFound);
    await expect(client.getSecret("orders-db", { version })).rejects.toMatchObject(notFound);
    await expect(client.getDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
  });
});

describe("lists of the Key Vault emulator", () => {
  test("come in pages of 25 with one entry for each name", async () => {
    const { client } = await startVault();
    await client.setSecret("name-00", "first");
    const names = Array.from(
      { length: 60 },
      (_, index) => `name-${String(index).padStart(2, "0")}`,
    );
    await Promise.all(names.map((name) => client.setSecret(name, "value", { tags: { name } })));
    const pages = await collect(client.listPropertiesOfSecrets().byPage());
    expect(pages.map((page) => page.length)).toEqual([25, 25, 10]);
    const listed = pages.flat();
    expect(listed.map(({ name }) => name).sort()).toEqual(names);
    expect(listed.every(({ name, tags }) => tags?.["name"] === name)).toBe(true);
    expect(JSON.stringify(listed)).not.toContain('"value"');
  });

  test("can have smaller pages, and skip or repeat no entry while names are added and removed", async () => {
    const { client, emulator, send } = await startVault();
    for (const name of ["a", "b", "c", "d", "e"]) await client.setSecret(name, "value");
    const first = pageShape.parse(await (await send("GET", "/secrets?maxresults=2")).json());
    expect(first.value.map(({ id }) => id)).toEqual([
      `${emulator.url}/secrets/a`,
      `${emulator.url}/secrets/b`,
    ]);
    await client.beginDeleteSecret("a");
    await client.setSecret("aa", "late");
    const rest: string[] = [];
    for (let link = first.nextLink; link !== null;) {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const page = pageShape.parse(await (await fetch(link, { headers })).json());
      rest.push(...page.value.map(({ id }) => id.slice(-1)));
      link = page.nextLink;
    }
    expect(rest).toEqual(["c", "d", "e"]);
  });

  test("show versions ordered by their random id, not by time", async () => {
    const { client } = await startVault();
    const made: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      made.push((await client.setSecret("orders-db", "value")).properties.version ?? "");
    }
    const listed = await collect(client.listPropertiesOfSecretVersions("orders-db"));
    expect(listed.map(({ version }) => version)).toEqual(made.toSorted());
  });
});

describe("deleting in the Key Vault emulator", () => {
  test("hides every version, blocks the name, and can be recovered", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "one");
    await client.setSecret("orders-db", "two", { tags: { a: "b" } });
    const poller = await client.beginDeleteSecret("orders-db", { intervalInMs: 1 });
    const deleted = await poller.pollUntilDone();
    expect(deleted.properties).toMatchObject({ name: "orders-db", tags: { a: "b" } });
    const { deletedOn, scheduledPurgeDate } = deleted;
    expect((scheduledPurgeDate?.getTime() ?? 0) - (deletedOn?.getTime() ?? 0)).toBe(90 * DAY);
    await expect(client.getSecret("orders-db")).rejects.toMatchObject(notFound);
    await expect(client.setSecret("orders-db", "three")).rejects.toMatchObject(
      catchConflict("ObjectIsDeletedButRecoverable"),
    );
    expect(await collect(client.listPropertiesOfSecrets())).toEqual([]);
    const names = (await collect(client.listDeletedSecrets())).map(({ name }) => name);
    expect(names).toEqual(["orders-db"]);

    const recovery = await client.beginRecoverDeletedSecret("orders-db", { intervalInMs: 1 });
    await recovery.pollUntilDone();
    expect((await client.getSecret("orders-db")).value).toBe("two");
    expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(2);
    expect(await collect(client.listDeletedSecrets())).toEqual([]);
  });

  test("can be made final by a purge, after which the name can be used again", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "one");
    await client.beginDeleteSecret("orders-db");
    await client.purgeDeletedSecret("orders-db");
    await expect(client.getDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
    await expect(client.purgeDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
    await client.setSecret("orders-db", "two");
    expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(1);
  });

  test("becomes final by itself when the retention is over", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now, retentionDays: 7 });
    await client.setSecret("orders-db", "one");
    await client.beginDeleteSecret("orders-db");
    clock.advance(7 * DAY - 2000);
    await client.getDeletedSecret("orders-db");
    clock.advance(2000);
    await expect(client.getDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
    const { properties } = await client.setSecret("orders-db", "two");
    expect(properties.recoveryLevel).toBe("CustomizedRecoverable+Purgeable");
    expect(await collect(client.listPropertiesOfSecretVersions("orders-db"))).toHaveLength(1);
  });

  test("cannot be made final under purge protection", async () => {
    const { client } = await startVault({ purgeProtection: true });
    await client.setSecret("orders-db", "one");
    await client.beginDeleteSecret("orders-db");
    await expect(client.purgeDeletedSecret("orders-db")).rejects.toMatchObject({
      statusCode: 403,
      code: "Forbidden",
    });
  });

  test("refuses writes with the reason while it or a recovery is under way", async () => {
    const clock = createClock();
    const { client, send } = await startVault({ now: clock.now, settleMs: 2000 });
    await client.setSecret("orders-db", "one");
    await client.beginDeleteSecret("orders-db");
    await expect(client.setSecret("orders-db", "two")).rejects.toMatchObject(
      catchConflict("ObjectIsBeingDeleted"),
    );
    await expect(client.purgeDeletedSecret("orders-db")).rejects.toMatchObject(
      catchConflict("ObjectIsBeingDeleted"),
    );
    await expect(client.getDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
    clock.advance(2000);
    expect((await send("POST", "/deletedsecrets/orders-db/recover")).status).toBe(200);
    await expect(client.getSecret("orders-db")).rejects.toMatchObject(notFound);
    await expect(client.setSecret("orders-db", "two")).rejects.toMatchObject(
      catchConflict("ObjectIsBeingRecovered"),
    );
    clock.advance(2000);
    expect((await client.getSecret("orders-db")).value).toBe("one");
  });

  test("keeps the official pollers waiting until it has settled", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now, settleMs: 2000 });
    await client.setSecret("orders-db", "one");
    const deletion = await client.beginDeleteSecret("orders-db", { intervalInMs: 5 });
    expect(deletion.isDone()).toBe(false);
    clock.advance(2000);
    await deletion.pollUntilDone();
    await client.getDeletedSecret("orders-db");
    const recovery = await client.beginRecoverDeletedSecret("orders-db", { intervalInMs: 5 });
    expect(recovery.isDone()).toBe(false);
    clock.advance(2000);
    await recovery.pollUntilDone();
    expect((await client.getSecret("orders-db")).value).toBe("one");
  });
});

/** The behaviour of deletion, recovery and purge that Microsoft's own tests of the client expect. */
import type { DeletedSecret } from "@azure/keyvault-secrets";
import { describe, expect, test } from "vitest";
import { createClock, DAY, startVault } from "./key-vault-emulator-fixture.ts";

const notFound = { statusCode: 404, code: "SecretNotFound" };
const soon = { intervalInMs: 1 };
/** A deletion or recovery ends only when the test moves the clock. */
const settleMs = 2_000;

function expectDeleted(deleted: DeletedSecret | undefined, url: string): void {
  const recoveryId = `${url}/deletedsecrets/orders-db`;
  expect(deleted).toMatchObject({ name: "orders-db", recoveryId });
  expect(deleted?.properties).toMatchObject({ recoveryId, recoverableDays: 90 });
  expect(deleted?.value).toBeUndefined();
  const { deletedOn, scheduledPurgeDate } = deleted ?? {};
  expect(deletedOn).toBeInstanceOf(Date);
  expect(Number(scheduledPurgeDate) - Number(deletedOn)).toBe(90 * DAY);
  expect(deleted?.properties).toMatchObject({ deletedOn, scheduledPurgeDate });
}

describe("a secret that is deleted through the official client", () => {
  test("says at once and at the end how it can be recovered", async () => {
    const { client, emulator } = await startVault();
    await client.setSecret("orders-db", "value");
    const poller = await client.beginDeleteSecret("orders-db", soon);
    expectDeleted(poller.getResult(), emulator.url);
    expectDeleted(await poller.pollUntilDone(), emulator.url);
    expectDeleted(await client.getDeletedSecret("orders-db"), emulator.url);
  });

  test.each([
    [90, false, "Recoverable+Purgeable"],
    [90, true, "Recoverable"],
    [7, false, "CustomizedRecoverable+Purgeable"],
    [7, true, "CustomizedRecoverable"],
  ])(
    "can be recovered for %i days (purge protection %s): %s",
    async (retentionDays, purgeProtection, recoveryLevel) => {
      const { client } = await startVault({ retentionDays, purgeProtection });
      const { properties } = await client.setSecret("orders-db", "value");
      expect(properties).toMatchObject({ recoveryLevel, recoverableDays: retentionDays });
      const poller = await client.beginDeleteSecret("orders-db", soon);
      const { deletedOn, scheduledPurgeDate, properties: after } = await poller.pollUntilDone();
      expect(after).toMatchObject({ recoveryLevel, recoverableDays: retentionDays });
      expect(Number(scheduledPurgeDate) - Number(deletedOn)).toBe(retentionDays * DAY);
    },
  );

  test("is not found in any version", async () => {
    const { client } = await startVault();
    const { properties } = await client.setSecret("orders-db", "value");
    await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
    const version = properties.version ?? "";
    await expect(client.getSecret("orders-db")).rejects.toMatchObject(notFound);
    await expect(client.getSecret("orders-db", { version })).rejects.toMatchObject(notFound);
    const update = client.updateSecretProperties("orders-db", version, { enabled: false });
    await expect(update).rejects.toMatchObject(notFound);
    await expect(client.beginDeleteSecret("orders-db")).rejects.toMatchObject(notFound);
  });

  test("keeps its name from being written", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value");
    await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
    await expect(client.setSecret("orders-db", "other")).rejects.toMatchObject({
      statusCode: 409,
      code: "Conflict",
      message:
        "Secret orders-db is currently in a deleted but recoverable state, and its name cannot be " +
        "reused; in this state, the secret can only be recovered or purged.",
      details: { error: { innerError: { code: "ObjectIsDeletedButRecoverable" } } },
    });
  });

  test("has to be there", async () => {
    const { client } = await startVault();
    await expect(client.beginDeleteSecret("nobody", soon)).rejects.toMatchObject(notFound);
    await expect(client.getDeletedSecret("nobody")).rejects.toMatchObject({
      ...notFound,
      message: "Deleted Secret not found: nobody",
    });
  });

  test("keeps a poller waiting, which another poller can continue", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now, settleMs });
    await client.setSecret("orders-db", "value");
    const poller = await client.beginDeleteSecret("orders-db", soon);
    expect(poller.getOperationState()).toMatchObject({
      isStarted: true,
      result: { name: "orders-db" },
    });
    expect(poller.getOperationState().isCompleted).not.toBe(true);
    const resumeFrom = poller.toString();
    const resumed = await client.beginDeleteSecret("orders-db", { ...soon, resumeFrom });
    expect(resumed.getOperationState().isCompleted).not.toBe(true);
    clock.advance(settleMs);
    expect(await resumed.pollUntilDone()).toMatchObject({ name: "orders-db" });
    expect(resumed.getOperationState().isCompleted).toBe(true);
    expect(await poller.pollUntilDone()).toMatchObject({ name: "orders-db" });
  });
});

describe("a deleted secret that is recovered through the official client", () => {
  test("has its value and its versions again", async () => {
    const { client } = await startVault();
    const { properties } = await client.setSecret("orders-db", "first");
    await client.setSecret("orders-db", "second");
    await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
    const poller = await client.beginRecoverDeletedSecret("orders-db", soon);
    expect(poller.getOperationState()).toMatchObject({
      isStarted: true,
      result: { name: "orders-db" },
    });
    expect(await poller.pollUntilDone()).toMatchObject({ name: "orders-db" });
    expect(poller.getOperationState().isCompleted).toBe(true);
    expect((await client.getSecret("orders-db")).value).toBe("second");
    const version = properties.version ?? "";
    expect((await client.getSecret("orders-db", { version })).value).toBe("first");
    await expect(client.getDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
  });

  test("has to be there", async () => {
    const { client } = await startVault();
    const recovery = client.beginRecoverDeletedSecret("nobody", soon);
    await expect(recovery).rejects.toMatchObject(notFound);
  });

  test("is nothing to recover while it is live", async () => {
    const { client, emulator } = await startVault();
    await client.setSecret("orders-db", "value");
    const poller = await client.beginRecoverDeletedSecret("orders-db", soon);
    expect(await poller.pollUntilDone()).toMatchObject({ name: "orders-db" });
    expect(emulator.journal.some(({ method }) => method === "POST")).toBe(false);
  });

  test("keeps a poller waiting, which another poller can continue", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now, settleMs });
    await client.setSecret("orders-db", "value");
    const deletion = await client.beginDeleteSecret("orders-db", soon);
    clock.advance(settleMs);
    await deletion.pollUntilDone();
    const poller = await client.beginRecoverDeletedSecret("orders-db", soon);
    await poller.poll();
    expect(poller.getOperationState().isCompleted).not.toBe(true);
    const resumeFrom = poller.toString();
    const resumed = await client.beginRecoverDeletedSecret("orders-db", { ...soon, resumeFrom });
    expect(resumed.getOperationState().isCompleted).not.toBe(true);
    clock.advance(settleMs);
    expect(await resumed.pollUntilDone()).toMatchObject({ name: "orders-db" });
    expect((await client.getSecret("orders-db")).value).toBe("value");
  });

  test("refuses writes with the service's message until it ends", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now, settleMs });
    await client.setSecret("orders-db", "value");
    await client.beginDeleteSecret("orders-db", soon);
    await expect(client.setSecret("orders-db", "other")).rejects.toMatchObject({
      statusCode: 409,
      message: "Secret orders-db is currently being deleted and cannot be re-created; retry later.",
      details: { error: { innerError: { code: "ObjectIsBeingDeleted" } } },
    });
    clock.advance(settleMs);
    await client.beginRecoverDeletedSecret("orders-db", soon);
    await expect(client.setSecret("orders-db", "other")).rejects.toMatchObject({
      statusCode: 409,
      message:
        "Secret orders-db is currently being recovered and cannot be re-created; retry later.",
      details: { error: { innerError: { code: "ObjectIsBeingRecovered" } } },
    });
  });
});

describe("a deleted secret that is purged through the official client", () => {
  test("is gone, and its name is free", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value");
    await (await client.beginDeleteSecret("orders-db", soon)).pollUntilDone();
    await client.purgeDeletedSecret("orders-db");
    await expect(client.getDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
    await expect(client.beginRecoverDeletedSecret("orders-db", soon)).rejects.toMatchObject(
      notFound,
    );
    await client.setSecret("orders-db", "other");
    expect((await client.getSecret("orders-db")).value).toBe("other");
  });

  test("has to be deleted first", async () => {
    const { client } = await startVault();
    await client.setSecret("orders-db", "value");
    await expect(client.purgeDeletedSecret("orders-db")).rejects.toMatchObject(notFound);
    await expect(client.purgeDeletedSecret("nobody")).rejects.toMatchObject(notFound);
    expect((await client.getSecret("orders-db")).value).toBe("value");
  });

  test("is refused with the message that clients expect until the deletion ends", async () => {
    const clock = createClock();
    const { client } = await startVault({ now: clock.now, settleMs });
    await client.setSecret("orders-db", "value");
    await client.beginDeleteSecret("orders-db", soon);
    await expect(client.purgeDeletedSecret("orders-db")).rejects.toMatchObject({
      statusCode: 409,
      code: "Conflict",
      message: "Secret is currently being deleted.",
      details: { error: { innerError: { code: "ObjectIsBeingDeleted" } } },
    });
    clock.advance(settleMs);
    await client.purgeDeletedSecret("orders-db");
  });
});

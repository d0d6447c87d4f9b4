import { expect, test } from "vitest";
import type { KeyVaultEvent } from "../../../local/key-vault/announcements.ts";
import { createClock, DAY, PATIENT, startVault, vaultFile } from "./key-vault-emulator-fixture.ts";

const describeKind = ({ eventType }: KeyVaultEvent): string =>
  eventType.replace("Microsoft.KeyVault.", "");

function createReceiver() {
  const events: KeyVaultEvent[] = [];
  return {
    events,
    onEvent: (event: KeyVaultEvent): void => void events.push(event),
    kinds: (): string[] => events.map((event) => `${describeKind(event)} ${event.subject}`),
  };
}

const inDays = (clock: { now(): Date }, days: number): Date =>
  new Date(clock.now().getTime() + days * DAY);

test("a new version is published in the format of Key Vault", async () => {
  const clock = createClock("2026-11-22T10:00:00.123Z");
  const receiver = createReceiver();
  const { client, emulator } = await startVault({
    now: clock.now,
    name: "kv-orders",
    onEvent: receiver.onEvent,
  });
  const expiresOn = new Date("2027-06-01T00:00:00Z");
  const { properties } = await client.setSecret("orders-db", "Tr0ub4dor", { expiresOn });
  await emulator.tick();
  expect(receiver.events).toEqual([
    {
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/) as string,
      topic: expect.stringMatching(
        /\/providers\/Microsoft\.KeyVault\/vaults\/kv-orders$/,
      ) as string,
      subject: "orders-db",
      eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
      eventTime: "2026-11-22T10:00:00.1230000Z",
      data: {
        Id: properties.id,
        VaultName: "kv-orders",
        ObjectType: "Secret",
        ObjectName: "orders-db",
        Version: properties.version,
        NBF: null,
        EXP: expiresOn.getTime() / 1000,
      },
      dataVersion: "1",
      metadataVersion: "1",
    },
  ]);
});

test("a new version is published without waiting for a tick", async () => {
  const receiver = createReceiver();
  const { client } = await startVault({ onEvent: receiver.onEvent });
  await client.setSecret("orders-db", "value");
  await expect.poll(() => receiver.kinds(), PATIENT).toEqual(["SecretNewVersionCreated orders-db"]);
});

test("the expiry of a version is published 30 days before and when it comes, once each", async () => {
  const clock = createClock();
  const receiver = createReceiver();
  const { client, emulator } = await startVault({ now: clock.now, onEvent: receiver.onEvent });
  await client.setSecret("orders-db", "value", { expiresOn: inDays(clock, 90) });
  clock.advance(60 * DAY - 1000);
  await emulator.tick();
  expect(receiver.kinds()).toEqual(["SecretNewVersionCreated orders-db"]);
  clock.advance(1000);
  await emulator.tick();
  await emulator.tick();
  expect(receiver.kinds().slice(1)).toEqual(["SecretNearExpiry orders-db"]);
  clock.advance(30 * DAY);
  await emulator.tick();
  await emulator.tick(new Date(clock.now().getTime() + DAY));
  expect(receiver.kinds().slice(1)).toEqual([
    "SecretNearExpiry orders-db",
    "SecretExpired orders-db",
  ]);
});

test("a version with less than 30 days left is near its expiry at once", async () => {
  const clock = createClock();
  const receiver = createReceiver();
  const { client } = await startVault({ now: clock.now, onEvent: receiver.onEvent });
  await client.setSecret("orders-db", "value", { expiresOn: inDays(clock, 20) });
  await expect
    .poll(() => receiver.kinds(), PATIENT)
    .toEqual(["SecretNewVersionCreated orders-db", "SecretNearExpiry orders-db"]);
});

test("near expiry is published only for the current version, even if disabled, and not for a deleted secret", async () => {
  const clock = createClock();
  const receiver = createReceiver();
  const { client, emulator } = await startVault({ now: clock.now, onEvent: receiver.onEvent });
  await client.setSecret("replaced", "one", { expiresOn: inDays(clock, 40) });
  await client.setSecret("replaced", "two", { expiresOn: inDays(clock, 400) });
  await client.setSecret("disabled", "one", { expiresOn: inDays(clock, 40), enabled: false });
  await client.setSecret("deleted", "one", { expiresOn: inDays(clock, 40) });
  await client.beginDeleteSecret("deleted");
  await emulator.tick();
  receiver.events.length = 0;
  clock.advance(20 * DAY);
  await emulator.tick();
  expect(receiver.kinds()).toEqual(["SecretNearExpiry disabled"]);
});

test("after a restart, no published event is published again, and no pending event is lost", async () => {
  const file = await vaultFile();
  const clock = createClock();
  const receiver = createReceiver();
  const options = { file, now: clock.now, onEvent: receiver.onEvent };
  const first = await startVault(options);
  await first.client.setSecret("near", "value", { expiresOn: inDays(clock, 10) });
  await first.client.setSecret("far", "value", { expiresOn: inDays(clock, 100) });
  await first.emulator.close();
  expect(receiver.kinds()).toEqual([
    "SecretNewVersionCreated near",
    "SecretNearExpiry near",
    "SecretNewVersionCreated far",
  ]);
  const second = await startVault(options);
  await second.emulator.tick();
  expect(receiver.events).toHaveLength(3);
  await second.emulator.close();
  clock.advance(75 * DAY);
  const third = await startVault(options);
  await third.emulator.tick();
  expect(receiver.kinds().slice(3).toSorted()).toEqual([
    "SecretExpired near",
    "SecretNearExpiry far",
  ]);
});

test("an event whose receiver failed is published again with the same id", async () => {
  const ids: string[] = [];
  const { client, emulator } = await startVault({
    onEvent(event) {
      ids.push(event.id);
      if (ids.length < 3) throw new Error("not now");
    },
  });
  await client.setSecret("orders-db", "value");
  await emulator.tick();
  await emulator.tick();
  await emulator.tick();
  await emulator.tick();
  expect(ids).toHaveLength(3);
  expect(new Set(ids).size).toBe(1);
});

test("an enabled timer checks expiry by itself", async () => {
  const clock = createClock();
  const receiver = createReceiver();
  const { client } = await startVault({
    now: clock.now,
    onEvent: receiver.onEvent,
    tickEveryMs: 5,
  });
  await client.setSecret("orders-db", "value", { expiresOn: inDays(clock, 31) });
  clock.advance(2 * DAY);
  await expect.poll(() => receiver.kinds(), PATIENT).toContain("SecretNearExpiry orders-db");
});

import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { patient } from "./world/api.ts";
import { countMessages, openQueues } from "./world/queues.ts";
import {
  countVersions,
  makeConfig,
  own,
  published,
  publishedName,
  seed,
  single,
} from "./world/targets.ts";
import { asJson, newPassword, startWorld, type World } from "./world/world.ts";

const old = ["grid", "spaces", "expiring"];
const young = ["young", "watched"];
const selves = ["taken", "broken"];

/** The timer never fires here, so every effect comes from an event. */
let world: World;
beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, {
        ...Object.fromEntries([...old, ...young].map((name) => [name, single(places, name)])),
        ...Object.fromEntries(selves.map((name) => [name, own(places, name)])),
      }),
  });
  for (const name of old) await seed(world, name, { ageInDays: 91 });
  for (const name of [...young, ...selves]) await seed(world, name);
  await world.vault.tick();
  await world.start();
});
afterAll(() => world.close());

const webhook = async (key?: string) =>
  `${world.host().url}/runtime/webhooks/EventGrid?functionName=near-expiry&code=` +
  (key ?? (await world.keys()).eventgrid_extension);

async function post(kind: string, body: unknown, key?: string): Promise<Response> {
  return fetch(await webhook(key), {
    method: "POST",
    headers: { "content-type": "application/json", "aeg-event-type": kind },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** As Key Vault writes it about the current version. */
async function nearExpiry(name: string) {
  const { version } = await published(world.secrets, name);
  return eventAbout(name, version);
}

function eventAbout(name: string, version: string) {
  return {
    id: randomUUID(),
    subject: publishedName(name),
    eventType: "Microsoft.KeyVault.SecretNearExpiry",
    eventTime: new Date().toISOString(),
    dataVersion: "1",
    data: {
      Id: `${world.vault.url}/secrets/${publishedName(name)}/${version}`,
      VaultName: world.vault.name,
      ObjectType: "Secret",
      ObjectName: publishedName(name),
      Version: version,
      NBF: null,
      EXP: 1_900_000_000,
    },
  };
}

/** Waits until every event is delivered and its effects are complete. */
async function settled(): Promise<void> {
  await world.vault.tick();
  await world.vaultEvents.idle();
  const { work, first } = openQueues(world.storage);
  await vi.waitFor(async () => {
    expect(await countMessages(work)).toBe(0);
    expect(await countMessages(first)).toBe(0);
  }, patient);
}

async function expectRotatedOnce(name: string): Promise<void> {
  await world.api.until(name, ({ lastSuccessAt }) => lastSuccessAt !== undefined);
  await settled();
  const [run, ...others] = await world.api.rotations(name);
  expect(run).toMatchObject({ state: "done", cause: "schedule" });
  expect(others).toEqual([]);
  expect(await countVersions(world.secrets, name)).toBe(2);
}

async function expectLeftAlone(name: string): Promise<void> {
  await settled();
  expect(await world.api.rotations(name)).toEqual([]);
  expect(await countVersions(world.secrets, name)).toBe(1);
}

describe("The webhook", () => {
  test("answers the validation of a subscription in either schema, and only with the key", async () => {
    const data = { validationCode: "F00-BA4" };
    const expected = { validationResponse: "F00-BA4" };
    const first = await post("SubscriptionValidation", [{ data }]);
    expect(await first.json()).toEqual(expected);
    const second = await post("SubscriptionValidation", { data: JSON.stringify(data) });
    expect(await second.json()).toEqual(expected);
    expect((await post("SubscriptionValidation", [{ data }], "wrong")).status).toBe(401);
    expect((await post("Notification", [await nearExpiry("grid")], "wrong")).status).toBe(401);
    await expectLeftAlone("grid");
  });

  test("is subscribed to in both schemas, with deliveries doubled and out of order", async () => {
    const url = await webhook();
    const { vaultEvents } = world;
    const rough = { url, duplicates: 2, reorder: 3 };
    await vaultEvents.subscribe({ ...rough, name: "grid", schema: "EventGridSchema" });
    await vaultEvents.subscribe({
      ...rough,
      name: "cloud",
      schema: "CloudEventSchemaV1_0",
      handshake: "validation-event",
    });
    expect(vaultEvents.deadLetters).toEqual([]);
  });
});

describe("An event that a secret is near its expiry", () => {
  test("leads to one rotation of a due target, even if it is repeated or out of order", async () => {
    const event = await nearExpiry("grid");
    const older = eventAbout("grid", "0123456789abcdef0123456789abcdef");
    world.vaultEvents.publish([event, older, { ...event, id: randomUUID() }]);
    await expectRotatedOnce("grid");
    // Late, about a version that has been superseded since.
    world.vaultEvents.publish([event]);
    await expectRotatedOnce("grid");
  });

  test("never rotates a target that is not due", async () => {
    for (let round = 0; round < 3; round++) {
      world.vaultEvents.publish([await nearExpiry("young")]);
      await expectLeftAlone("young");
    }
    expect(await world.api.target("young")).toMatchObject({ health: "healthy" });
  });

  test("is understood with stray spaces and with numbers as text", async () => {
    const { data, ...event } = await nearExpiry("spaces");
    const { ObjectName, Version, ...rest } = data;
    const odd = {
      ...rest,
      "ObjectName ": ObjectName,
      Version: `${Version} `,
      NBF: "0",
      EXP: "1900000000",
    };
    world.vaultEvents.publish([{ ...event, data: { ...odd, Id: ` ${data.Id} ` } }]);
    await expectRotatedOnce("spaces");
  });

  test("that Key Vault itself sends leads to one rotation, and the new version leads to no further one", async () => {
    const { username, password, version } = await published(world.secrets, "expiring");
    await world.secrets.updateSecretProperties(publishedName("expiring"), version, {
      expiresOn: new Date(Date.now() + 10 * 86_400_000),
    });
    await expectRotatedOnce("expiring");
    expect(await world.database.logsIn(username, password)).toBe(false);
    const told = world.vaultEvents.events().map(({ event }) => event);
    const about = told.filter(({ subject }) => subject === publishedName("expiring"));
    const kinds = about.map((event) => ("eventType" in event ? event.eventType : undefined));
    expect(kinds).toContain("Microsoft.KeyVault.SecretNearExpiry");
    expect(kinds).toContain("Microsoft.KeyVault.SecretNewVersionCreated");
  });

  test("of a secret that nobody manages, or of another vault, leads to nothing", async () => {
    const stranger = eventAbout("stranger", "0123456789abcdef0123456789abcdef");
    const elsewhere = await nearExpiry("watched");
    const Id = elsewhere.data.Id.replace(world.vault.url, "https://kv-other.vault.azure.net");
    const before = await world.api.alarms();
    world.vaultEvents.publish([stranger, { ...elsewhere, data: { ...elsewhere.data, Id } }]);
    await expectLeftAlone("watched");
    expect(await world.api.alarms()).toEqual(before);
    // The app did not check the target.
    expect(await world.api.target("watched")).toMatchObject({ health: "new" });
  });
});

describe("An event that makes no sense", () => {
  test.each([
    ["no JSON", "{"],
    ["a number", "17"],
    ["a list of numbers", "[1, 2]"],
  ])("is refused when it is %s, so that it is not sent again", async (_, body) => {
    expect((await post("Notification", body)).status).toBe(400);
  });

  test.each([
    ["empty", {}],
    ["of another service", { eventType: "Microsoft.Storage.BlobCreated", data: { url: "x" } }],
    [
      "about no secret",
      { eventType: "Microsoft.KeyVault.SecretNearExpiry", data: { Id: "https://x/keys/y/z" } },
    ],
  ])("is accepted, recorded and reported as an alarm when it is %s", async (_, event) => {
    const before = await world.api.alarms();
    const events = world.topic.events().length;
    expect((await post("Notification", [event])).status).toBe(202);
    const after = await world.api.alarms();
    expect(after).toHaveLength(before.length + 1);
    expect(after[0]).toMatchObject({ kind: "message-unreadable" });
    expect(world.topic.events()).toHaveLength(events + 1);
  });

  test("is ignored when it is about a key or a certificate", async () => {
    const before = await world.api.alarms();
    const kinds = ["KeyNearExpiry", "CertificateNewVersionCreated", "VaultAccessPolicyChanged"];
    const events = kinds.map((kind) => ({ eventType: `Microsoft.KeyVault.${kind}`, data: {} }));
    expect((await post("Notification", events)).status).toBe(202);
    expect(await world.api.alarms()).toEqual(before);
  });

  test("does not delay other events in the same delivery", async () => {
    const sensible = await nearExpiry("watched");
    expect((await post("Notification", [{}, sensible])).status).toBe(202);
    await world.api.until("watched", ({ health }) => health === "healthy");
  });
});

describe("A new version that somebody else has written", () => {
  /** Counts by id, because a repeated notification has the same id. */
  const driftsOf = (name: string) =>
    new Set(
      world.topic
        .events()
        .map(({ event }) => event)
        .filter((event) => "type" in event && event.type === "Keyturn.Drift.Found")
        .filter(({ subject }) => subject === name)
        .map(({ id }) => id),
    );

  async function adopted(name: string): Promise<void> {
    world.vaultEvents.publish([await nearExpiry(name)]);
    await world.api.until(name, ({ health }) => health === "healthy");
    await settled();
  }

  test("that logs in is adopted, reported once, and used for the next rotation", async () => {
    const { api, database, secrets } = world;
    await adopted("taken");
    const password = newPassword();
    await database.account("taken", password);
    await secrets.setSecret(publishedName("taken"), asJson("taken", password));
    const { version } = await published(secrets, "taken");

    await api.until("taken", (view) => view.published?.version === version);
    await settled();
    await vi.waitFor(() => {
      expect(driftsOf("taken").size).toBe(1);
    }, patient);
    expect(await api.rotations("taken")).toEqual([]);

    expect(await api.ended(await api.rotate("taken"))).toMatchObject({ state: "done" });
    const now = await published(secrets, "taken");
    expect(await database.logsIn("taken", now.password)).toBe(true);
    expect(await database.logsIn("taken", password)).toBe(false);
  });

  test("that does not log in is reported and not adopted", async () => {
    const { api, database, secrets } = world;
    await adopted("broken");
    const before = await published(secrets, "broken");
    await secrets.setSecret(publishedName("broken"), asJson("broken", newPassword()));

    await vi.waitFor(() => {
      expect(driftsOf("broken").size).toBe(1);
    }, patient);
    await settled();
    expect((await api.target("broken")).published?.version).toBe(before.version);
    expect(driftsOf("broken").size).toBe(1);

    expect(await api.ended(await api.rotate("broken"))).toMatchObject({ state: "done" });
    const now = await published(secrets, "broken");
    expect(await database.logsIn("broken", now.password)).toBe(true);
    expect(await database.logsIn("broken", before.password)).toBe(false);
  });
});

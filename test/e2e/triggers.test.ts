import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { patient } from "./world/api.ts";
import { countMessages, openQueues } from "./world/queues.ts";
import { countVersions, makeConfig, own, pair, seed, seedPair, single } from "./world/targets.ts";
import { everySecond, startWorld, type World } from "./world/world.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld({
    sweep: everySecond,
    config: (places) =>
      makeConfig(places, {
        old: single(places, "old"),
        "old-pair": pair(places, "old-pair"),
        "old-own": own(places, "old-own"),
        fresh: single(places, "fresh"),
      }),
  });
  await seed(world, "old", { ageInDays: 91 });
  await seed(world, "old-own", { ageInDays: 91 });
  await seedPair(world, "old-pair", 91);
  await seed(world, "fresh", { ageInDays: 89 });
});
afterAll(() => world.close());

/** Counts the successful sweeps so far. */
const sweeps = () => world.output.written.split("\n").filter(isEndOfSweep).length;
const isEndOfSweep = (line: string) =>
  line.includes('"functionName":"sweep"') && line.includes("Succeeded");

async function sweepsGoOn(count: number): Promise<void> {
  const before = sweeps();
  await vi.waitFor(() => {
    expect(sweeps()).toBeGreaterThanOrEqual(before + count);
  }, patient);
}

describe("The timer", () => {
  test("rotates a due target of each kind once, and does not rotate one that is not due", async () => {
    const { api, secrets } = world;
    await world.start();
    for (const name of ["old", "old-pair", "old-own"]) {
      const view = await api.until(name, ({ lastSuccessAt }) => lastSuccessAt !== undefined);
      expect(view).toMatchObject({ health: "healthy", policy: "default" });
    }
    const left = await api.until("fresh", ({ health }) => health === "healthy");
    await sweepsGoOn(3);

    for (const name of ["old", "old-pair", "old-own"]) {
      const [run, ...others] = await api.rotations(name);
      expect(run).toMatchObject({ state: "done", cause: "schedule", requestedBy: "schedule" });
      expect(others).toEqual([]);
      expect(await countVersions(secrets, name)).toBe(2);
    }
    expect(await api.rotations("fresh")).toEqual([]);
    expect(await countVersions(secrets, "fresh")).toBe(1);
    // Due one day from now, because its secret is 89 days old.
    expect(Date.parse(left.nextDue ?? "") - Date.now()).toBeLessThan(86_400_000);
  });

  test("reports each resulting rotation to the topic once", () => {
    const types = world.topic
      .events()
      .map(({ event }) => ("specversion" in event ? event : undefined))
      .filter((event) => event?.subject?.includes("old-own"))
      .map((event) => event?.type);
    expect(types.toSorted()).toEqual([
      "Keyturn.Credential.Adopted",
      "Keyturn.Rotation.Started",
      "Keyturn.Rotation.Succeeded",
    ]);
  });
});

describe("A message", () => {
  const alarmsOf = async (kind: string) =>
    (await world.api.alarms()).filter((alarm) => alarm.kind === kind);
  const toldAlarms = (kind: string) =>
    world.topic.events().filter(({ event }) => JSON.stringify(event).includes(`"kind":"${kind}"`));

  test.each([
    ["no JSON at all", "garbage"],
    ["another app's JSON", '{"hello":"world"}'],
    ["an id that is none", '{"targetId":"../etc","because":"due"}'],
    ["nothing but base64", Buffer.from('{"targetId":"fresh"}').toString("base64")],
    ["an empty object", "{}"],
  ])("of %s is recorded and reported as an alarm, and is not retried", async (_, text) => {
    const { work, poison } = openQueues(world.storage);
    const before = await alarmsOf("message-unreadable");
    await work.sendMessage(text);
    await vi.waitFor(async () => {
      expect(await alarmsOf("message-unreadable")).toHaveLength(before.length + 1);
      expect(toldAlarms("message-unreadable")).toHaveLength(before.length + 1);
    }, patient);
    await vi.waitFor(async () => {
      expect(await countMessages(work)).toBe(0);
    }, patient);
    expect(await countMessages(poison)).toBe(0);
    expect(await alarmsOf("message-unreadable")).toHaveLength(before.length + 1);
  });

  test("for a target that is no longer configured is ignored", async () => {
    const { work } = openQueues(world.storage);
    const before = await world.api.alarms();
    await work.sendMessage('{"targetId":"bygone","because":"due"}');
    await vi.waitFor(async () => {
      expect(await countMessages(work)).toBe(0);
    }, patient);
    expect(await world.api.alarms()).toEqual(before);
  });

  test("for a target that is not due rotates nothing, even if it is repeated", async () => {
    const { work } = openQueues(world.storage);
    for (let copy = 0; copy < 5; copy++) {
      await work.sendMessage('{"targetId":"fresh","because":"due"}');
    }
    await vi.waitFor(async () => {
      expect(await countMessages(work)).toBe(0);
    }, patient);
    expect(await world.api.rotations("fresh")).toEqual([]);
  });

  test("that the host has delivered too often goes to the poison queue and raises an alarm", async () => {
    const { work, poison } = openQueues(world.storage);
    await world.host().stop();
    await work.clearMessages();
    await work.sendMessage('{"targetId":"fresh","because":"due"}');
    await vi.waitFor(async () => {
      const { receivedMessageItems } = await work.receiveMessages({ visibilityTimeout: 1 });
      expect(receivedMessageItems[0]?.dequeueCount).toBe(5);
    }, patient);
    await poison.sendMessage("garbage");
    await world.start();

    await vi.waitFor(async () => {
      const alarms = await alarmsOf("gave-up");
      expect(alarms.map(({ targetId }) => targetId).toSorted()).toEqual(["fresh", undefined]);
      expect(toldAlarms("gave-up")).toHaveLength(2);
    }, patient);
    await vi.waitFor(async () => {
      expect(await countMessages(poison)).toBe(0);
    }, patient);
    expect(await world.api.rotations("fresh")).toEqual([]);
  });
});

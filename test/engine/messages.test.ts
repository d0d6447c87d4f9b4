import { describe, expect, test } from "vitest";
import { VaultUnavailableError } from "../../shared/core/errors.ts";
import { hour, minute, plus, second } from "../../shared/core/time.ts";
import { expose } from "../../shared/engine/inbox/expose.ts";
import { recordUse } from "../../shared/engine/inbox/record-use.ts";
import { makeOperations } from "../../shared/engine/operations.ts";
import type { Ports } from "../../shared/engine/ports.ts";
import { JournalUnavailableError, UnreadableRowError } from "../../shared/stores/journal.ts";
import { makeMemoryQueue } from "../../shared/stores/memory/memory-queue.ts";
import { worldWith } from "./policy-world.ts";
import {
  adopted,
  ask,
  readRecord,
  request,
  rotate,
  setPassword,
  work,
  writeByHand,
} from "./steps.ts";
import { type Gate, open, pairAdmin, singleAdmin, type World } from "./world.ts";

/** Instances of a fleet that share both queues. */
function makeFleet(world: World) {
  const [queue, firstQueue] = [makeMemoryQueue(world.now), makeMemoryQueue(world.now)];
  const instance = (
    change: (ports: Ports) => Partial<Ports> = () => ({}),
    targets = [world.target],
    gate: Gate = open,
  ) => {
    const { emit, ...ports } = world.ports(gate);
    const changed = { ...ports, ...change({ ...ports, emit }) };
    const of = { ports: changed, queue, firstQueue, targets, vaultAt: () => "main" };
    return makeOperations(of)(emit);
  };
  const receive = () => firstQueue.receive() ?? queue.receive();
  return { queue, firstQueue, instance, receive };
}

type Fleet = ReturnType<typeof makeFleet>;
type Instance = ReturnType<Fleet["instance"]>;

/** Sweeps every minute. The first message goes to one instance, the others to another. Returns minutes. */
async function untilRotated(
  world: World,
  { receive }: Fleet,
  [sweeper, first, others]: readonly [Instance, Instance, Instance],
): Promise<number> {
  let messages = 0;
  for (let minutes = 0; minutes <= 200; minutes++) {
    await sweeper.sweep();
    for (let message = receive(); message; message = receive()) {
      await (messages++ === 0 ? first : others).work(message);
    }
    if (world.applied.size > 0 && (await readRecord(world)).rotation === undefined) return minutes;
    world.advance(minute);
  }
  return Infinity;
}

/** A clock that is behind the clock of the sweep, because storage rounds to whole seconds. */
const behind =
  (world: World) =>
  ({ journal }: Ports) => ({
    journal: { ...journal, now: () => new Date(Date.parse(world.now()) - 500) },
  });

/** A worker that dies at the first effect with this name. */
async function dieAt(world: World, fatal: string): Promise<void> {
  const died = Promise.withResolvers<undefined>();
  void work(world, (effect, call) => {
    if (effect !== fatal) return call();
    died.resolve(undefined);
    return new Promise(() => undefined);
  });
  await died.promise;
}

describe("A message that is consumed without any work", () => {
  test("A target is not late when the worker's clock is slightly before the due moment", async () => {
    const world = await adopted(singleAdmin);
    world.advanceTo((await readRecord(world)).nextDue ?? "");
    const fleet = makeFleet(world);
    const slow = fleet.instance(behind(world));
    expect(await untilRotated(world, fleet, [fleet.instance(), slow, slow])).toBeLessThan(3);
  });

  test("A target is not late when the worker's clock is slightly before the end of a dead worker's claim", async () => {
    const world = await adopted(pairAdmin);
    await request(world);
    await dieAt(world, "target.apply");
    world.advanceTo((await readRecord(world)).claim.until ?? "");
    const fleet = makeFleet(world);
    const slow = fleet.instance(behind(world));
    expect(await untilRotated(world, fleet, [fleet.instance(), slow, slow])).toBeLessThan(3);
  });

  test("A target is not late when an instance gets the message that cannot read the row, or does not know the target", async () => {
    for (const reason of ["operator", "schedule"] as const) {
      const world = await adopted(singleAdmin);
      await request(world, { reason });
      const fleet = makeFleet(world);
      const newer = fleet.instance();
      const read = () => Promise.reject(new UnreadableRowError("newer", true));
      const older =
        reason === "operator"
          ? fleet.instance(undefined, [])
          : fleet.instance(({ journal }) => ({ journal: { ...journal, read } }));
      expect(await untilRotated(world, fleet, [newer, older, newer])).toBeLessThan(3);
    }
  });

  test("A target is not late when a report is written before the claim, while the sweep still sends other messages", async () => {
    const world = await adopted(singleAdmin);
    world.advanceTo((await readRecord(world)).nextDue ?? "");
    const fleet = makeFleet(world);
    let raced = false;
    const worker = fleet.instance(undefined, undefined, async (effect, call) => {
      if (effect === "journal.commit" && !raced) {
        raced = true;
        await expose(world.ports(open), world.target, { by: "mallory", kind: "breach" });
      }
      return call();
    });
    const sweeper = fleet.instance(({ journal }) => ({
      journal: {
        ...journal,
        markSent: async (due, now) => {
          for (let message = fleet.receive(); message; message = fleet.receive()) {
            await worker.work(message);
          }
          await journal.markSent(due, now);
        },
      },
    }));
    expect(await untilRotated(world, fleet, [sweeper, worker, worker])).toBeLessThan(3);
    expect(raced).toBe(true);
  });

  test("A requested rotation is not late when its worker dies while it waits for a slot", async () => {
    const world = await adopted(singleAdmin);
    const fleet = makeFleet(world);
    const instance = fleet.instance();
    await instance.request("app", { reason: "exposure", requestedBy: "ben" });
    expect(fleet.receive()).toBeDefined();
    expect(await untilRotated(world, fleet, [instance, instance, instance])).toBeLessThan(3);
  });

  test("A message comes back in the first queue when the journal is unavailable for a moment", async () => {
    const world = await adopted(singleAdmin);
    const fleet = makeFleet(world);
    const read = () => Promise.reject(new JournalUnavailableError("away"));
    const broken = fleet.instance(({ journal }) => ({ journal: { ...journal, read } }));
    await broken.work({ targetId: "app", because: "vault-event" });
    expect(fleet.queue.messages).toEqual([]);
    expect(fleet.firstQueue.messages).toMatchObject([{ message: { because: "vault-event" } }]);
  });

  test("A message does not circulate forever when no instance knows the target", async () => {
    const world = await adopted(singleAdmin);
    const fleet = makeFleet(world);
    const stranger = fleet.instance(undefined, []);
    await stranger.work({ targetId: "app", because: "due" });
    world.advance(minute);
    const message = fleet.receive();
    await stranger.work(message);
    expect(fleet.receive()).toBeUndefined();
    expect(fleet.queue.messages).toEqual([]);
  });
});

describe("A rotation whose target refuses consumers", () => {
  test("The rotation goes first when the target's new secret cannot be published", async () => {
    const world = await adopted(singleAdmin);
    world.advanceTo((await readRecord(world)).nextDue ?? "");
    let writes = 0;
    await work(world, (effect, call) =>
      effect === "vault.write" && ++writes > 1
        ? Promise.reject(new VaultUnavailableError("away"))
        : call(),
    );
    expect(world.publishedWorks()).toBe(false);
    world.advance(minute);
    expect(await world.journal.due(world.now(), 10)).toMatchObject([{ isFirst: true }]);
  });

  test("The rotation goes first when its worker has died", async () => {
    const world = await adopted(singleAdmin);
    world.advanceTo((await readRecord(world)).nextDue ?? "");
    await dieAt(world, "target.apply");
    world.advance(3 * minute);
    expect(await world.journal.due(world.now(), 10)).toMatchObject([{ isFirst: true }]);
  });
});

test("A hint that somebody wrote the published secret is not lost when a report is written first", async () => {
  const world = await adopted(singleAdmin);
  await rotate(world);
  world.advance(20 * minute);
  await writeByHand(world, "app", "a password that nobody accepts");
  let raced = false;
  const racing: Gate = async (effect, call) => {
    if (effect === "journal.commit" && !raced) {
      raced = true;
      await recordUse(world.ports(open), world.target, { by: "app" });
    }
    return call();
  };
  await work(world, racing, true);
  expect(raced).toBe(true);
  const { check, refusedSince } = await readRecord(world);
  expect(check ?? refusedSince).toBeDefined();
});

test("A request or report makes a postponed target due again", async () => {
  for (const act of ["ask", "expose"] as const) {
    const world = await adopted(singleAdmin);
    await request(world, { reason: "drift", requestedBy: "keyturn" });
    world.advance(hour);
    const found = await world.journal.read("app");
    if (!found) throw new Error("the target was adopted before");
    const until = plus(world.now(), 5 * minute);
    const record = { ...found.record, skipped: { at: world.now(), until, why: "silent" } };
    await world.journal.commit({ record, etag: found.etag, wakeAt: until });
    world.advance(second);
    const at = plus(world.now(), -minute);
    if (act === "ask") await ask(world, { reason: "operator" });
    else await expose(world.ports(open), world.target, { by: "ben", kind: "breach", at });
    expect((await readRecord(world)).skipped).toBeUndefined();
    expect((await world.journal.due(world.now(), 10)).map(({ isFirst }) => isFirst)).toEqual([
      true,
    ]);
  }
});

describe("Messages of the first queue", () => {
  test("A message stays in the first queue when it comes back because the clock of this instance is behind", async () => {
    const world = await worldWith({ verifyEvery: "none" });
    await work(world);
    world.advanceTo((await readRecord(world)).nextDue ?? "");
    const { queue, firstQueue, instance } = makeFleet(world);
    await instance(behind(world)).work({ targetId: "app", because: "requested" }, "first");
    world.advance(second);
    expect([queue.receive(), firstQueue.receive()?.because]).toEqual([undefined, "requested"]);
  });

  test("A message stays in the first queue when this instance does not know the target yet", async () => {
    const world = await adopted(singleAdmin);
    const { queue, firstQueue, instance } = makeFleet(world);
    const before = instance(undefined, []);
    await before.work({ targetId: "app", because: "requested" }, "first");
    world.advance(minute);
    expect([queue.receive(), firstQueue.receive()?.targetId]).toEqual([undefined, "app"]);
  });

  test("A hint that somebody wrote the published secret stays in the first queue", async () => {
    const world = await adopted(singleAdmin);
    const { queue, firstQueue, instance } = makeFleet(world);
    await writeByHand(world, "app", "by-hand-0123456789");
    await instance().notice({
      ...{ id: "1", subject: "app-db", dataVersion: "1", eventTime: world.now() },
      eventType: "Microsoft.KeyVault.SecretNewVersionCreated",
      data: {
        Id: "https://main.vault.azure.net/secrets/app-db/0123456789abcdef0123456789abcdef",
        ...{ VaultName: "main", ObjectType: "Secret", ObjectName: "app-db" },
        Version: "0123456789abcdef0123456789abcdef",
      },
    });
    expect([queue.receive(), firstQueue.receive()?.targetId]).toEqual([undefined, "app"]);
  });
});

test("A hint that meets a worker just before it releases the target is followed at once", async () => {
  const world = await adopted(singleAdmin);
  setPassword(world, "app", "by-hand-0123456789");
  await writeByHand(world, "app", "by-hand-0123456789");
  const { instance } = makeFleet(world);
  let isHeld = true;
  // The other worker writes between the read of this one and its report.
  const released: Gate = async (effect, call) => {
    const result = await call();
    if (effect !== "journal.read" || !isHeld) return result;
    isHeld = false;
    const found = await world.journal.read("app");
    if (!found) throw new Error("the target has a record");
    const claim = { fence: 9, owner: "other", until: plus(world.now(), minute) };
    return { ...found, record: { ...found.record, claim } } as typeof result;
  };
  await instance(undefined, undefined, released).work({ targetId: "app", because: "vault-event" });
  const { published } = await readRecord(world);
  expect(published?.version).toBe(world.vault.versions("app-db").at(-1)?.ref.version);
});

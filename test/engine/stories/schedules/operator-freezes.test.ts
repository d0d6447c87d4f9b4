import { describe, expect, test } from "vitest";
import type { FreezeInput } from "../../../../shared/core/freezes/operator-freeze.ts";
import type { Target } from "../../../../shared/core/target.ts";
import { hour, minute, second } from "../../../../shared/core/time.ts";
import { makeOperations } from "../../../../shared/engine/operations.ts";
import { makeMemoryQueue } from "../../../../shared/stores/memory/memory-queue.ts";
import { adopted, readRecord } from "../../steps.ts";
import { type Gate, open, singleAdmin, type World } from "../../world.ts";

const until = "2026-01-05T00:00:00.000Z";
const wanted: FreezeInput = {
  by: "anna",
  reason: "audit",
  until,
  lift: ["exposure", "breach"],
  selection: {},
};

/** A process that works on the targets of the world, with its own knowledge of freezes. */
function makeProcess(world: World, targets: readonly Target[] = [world.target], gate: Gate = open) {
  const seen = { reads: 0 };
  const ports = world.ports(gate);
  const journal = {
    ...ports.journal,
    freezes: () => {
      seen.reads++;
      return ports.journal.freezes();
    },
  };
  const queue = makeMemoryQueue(() => world.now());
  const operations = makeOperations({
    ports: { ...ports, journal },
    queue,
    targets,
    vaultAt: () => undefined,
  })(ports.emit);
  return {
    ...operations,
    seen,
    request: (fields: object = {}) =>
      operations.request("app", { reason: "operator", requestedBy: "eva", ...fields }),
    work: () => operations.work({ targetId: "app", because: "test" }),
    /** Sweeps, and does the work of the messages. */
    async run() {
      await operations.sweep();
      await operations.work({ targetId: "app", because: "due" });
    },
  };
}

async function begin() {
  const world = await adopted(singleAdmin);
  const one = makeProcess(world);
  await one.run();
  return { world, one };
}

const stateOf = async (world: World, id: string | undefined) =>
  (await world.journal.run("app", id ?? ""))?.state;

test("A freeze delays a request until its end, with its reason and who set it, and the request starts then", async () => {
  const { world, one } = await begin();
  const set = await one.freeze(wanted);
  expect(set).toMatchObject({ state: "in force", matches: 1, from: world.now() });
  const asked = await one.request();
  expect(asked?.waiting).toEqual({
    until,
    why: `policy test: frozen from ${world.now()} to ${until} (audit, set by anna)`,
  });
  await one.run();
  expect(world.applied.size).toBe(0);
  expect((await one.target("app"))?.queuedWhy).toContain("audit, set by anna");
  expect(await world.journal.due(world.now(), 9)).toEqual([]);
  world.advanceTo(until);
  await one.run();
  expect(await stateOf(world, asked?.rotationId)).toBe("done");
  expect((await one.freezes())[0]).toMatchObject({ state: "ended" });
});

test("A dry run says that a freeze which a person set delays the rotation", async () => {
  const { one } = await begin();
  await one.freeze(wanted);
  const outcome = await one.dryRun("app");
  const [start] = outcome && "done" in outcome ? outcome.done.checks : [];
  expect(start).toMatchObject({ check: "start", result: "warning" });
  expect(start?.sentence).toContain("audit, set by anna");
});

test("A freeze is lifted by a request that lifts it, and by the reasons that it lists", async () => {
  const { world, one } = await begin();
  await one.freeze(wanted);
  await one.request();
  await one.run();
  expect(world.applied.size).toBe(0);
  expect((await one.request({ liftFreeze: "ticket 42" }))?.waiting).toBeUndefined();
  await one.run();
  expect(world.applied.size).toBe(1);
  expect((await one.request({ reason: "exposure" }))?.waiting).toBeUndefined();
  await one.run();
  expect(world.applied.size).toBe(2);
});

test("Another process knows a new freeze after ten seconds at the latest, and reads it once in ten seconds", async () => {
  const { world, one } = await begin();
  const two = makeProcess(world);
  await two.work();
  await one.freeze(wanted);
  world.advance(10 * second);
  const before = two.seen.reads;
  await two.request();
  for (let times = 0; times < 20; times++) {
    await two.work();
    world.advance(second / 4);
  }
  expect(world.applied.size).toBe(0);
  expect(two.seen.reads - before).toBe(1);
});

describe.each(["the same process", "another process", "a process that never knew it"])(
  "In %s,",
  (where) => {
    async function frozen() {
      const { world, one } = await begin();
      const two = makeProcess(world);
      if (where !== "a process that never knew it") await two.run();
      const ending = where === "the same process" ? one : two;
      return { world, one, ending };
    }

    test("an early end releases a request with the next sweep", async () => {
      const { world, one, ending } = await frozen();
      const { id } = await one.freeze(wanted);
      const asked = await one.request();
      await one.run();
      world.advance(hour);
      expect(await one.endFreeze(id, { by: "ben" })).toMatchObject({
        state: "ended",
        endedBy: "ben",
        endedAt: world.now(),
      });
      world.advance(10 * second);
      await ending.run();
      expect(await stateOf(world, asked?.rotationId)).toBe("done");
    });

    test("an early end releases the schedule, and an open rotation that has changed nothing", async () => {
      const { world, one, ending } = await frozen();
      const { rotationId = "" } = (await one.request()) ?? {};
      let isSet = false;
      let id = "";
      const setting: Gate = async (effect, call) => {
        if (effect === "vault.read" && !isSet) {
          isSet = true;
          ({ id } = await one.freeze(wanted));
          world.advance(10 * second);
        }
        return call();
      };
      await makeProcess(world, [world.target], setting).work();
      expect(await readRecord(world)).toMatchObject({
        rotation: { id: rotationId, nextAttemptAt: until },
      });
      expect(world.applied.size).toBe(0);
      await one.endFreeze(id, { by: "ben" });
      world.advance(10 * second);
      await ending.run();
      expect(await stateOf(world, rotationId)).toBe("done");
    });
  },
);

test("A request that was accepted while a worker without the freeze held the target is released by an early end", async () => {
  const { world, one } = await begin();
  let id = "";
  const racing: Gate = async (effect, call) => {
    if (effect === "vault.read" && id === "") {
      ({ id } = await one.freeze(wanted));
      await one.request();
    }
    return call();
  };
  const late = makeProcess(world, [world.target], racing);
  await late.notice({});
  await world.journal.read("app");
  const before = await readRecord(world);
  await world.journal.commit({
    record: { ...before, check: { at: world.now(), why: "doubt", failures: 0 } },
    etag: (await world.journal.read("app"))?.etag,
    wakeAt: world.now(),
  });
  await late.work();
  expect(await readRecord(world)).toMatchObject({ request: { notBefore: until } });
  await one.endFreeze(id, { by: "ben" });
  world.advance(minute);
  await one.run();
  expect(world.applied.size).toBe(1);
});

test("A rotation that may have changed the target is finished during a freeze that begins meanwhile", async () => {
  const { world, one } = await begin();
  await one.request();
  const racing: Gate = async (effect, call) => {
    const result = await call();
    if (effect === "target.apply") {
      await one.freeze(wanted);
      world.advance(10 * second);
    }
    return result;
  };
  await makeProcess(world, [world.target], racing).work();
  expect(world.publishedWorks()).toBe(true);
  expect((await readRecord(world)).rotation).toBeUndefined();
});

test("A freeze applies to a target that matches its selection later", async () => {
  const { world, one } = await begin();
  const selection = { tags: [["team", "payments"]] as const };
  expect(await one.freeze({ ...wanted, selection })).toMatchObject({ matches: 0 });
  const tagged = { ...world.target, tags: { team: "payments" } };
  const edited = makeProcess(world, [tagged]);
  expect((await edited.freezes())[0]).toMatchObject({ matches: 1 });
  expect((await edited.request())?.waiting?.until).toBe(until);
});

test("A planned freeze begins by itself, and the plan shows no rotation in it", async () => {
  const { world, one } = await begin();
  const daily = makeProcess(world, [
    { ...world.target, policy: { ...world.target.policy, every: 24 * hour } },
  ]);
  const from = "2026-01-01T12:00:00.000Z";
  expect(await one.freeze({ ...wanted, from })).toMatchObject({ state: "planned" });
  const plan = JSON.parse(await daily.plan({ format: "json", to: "2026-01-07T00:00:00.000Z" })) as {
    rotations: { at: string; why: string }[];
  };
  expect(plan.rotations[0]?.at).toBe(until);
  expect(plan.rotations[0]?.why).toContain("audit, set by anna");
  await daily.run();
  expect((await daily.target("app"))?.nextDue).toBe(until);
});

test("The end of a freeze that does not exist is nothing, and a second end changes nothing", async () => {
  const { world, one } = await begin();
  expect(await one.endFreeze("01NONE", { by: "ben" })).toBeUndefined();
  const { id } = await one.freeze(wanted);
  const ended = await one.endFreeze(id, { by: "ben" });
  world.advance(hour);
  expect(await one.endFreeze(id, { by: "eva" })).toEqual(ended);
});

test("A clock that went backwards makes a process read the freezes again", async () => {
  const { world, one } = await begin();
  world.advance(hour);
  const two = makeProcess(world);
  await two.target("app");
  world.advance(-hour);
  const { reads } = two.seen;
  await one.freeze(wanted);
  expect((await two.request())?.waiting?.until).toBe(until);
  expect(two.seen.reads).toBe(reads + 1);
});

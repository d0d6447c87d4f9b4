import { describe, expect, test } from "vitest";
import { hour, second } from "../../../../shared/core/time.ts";
import { makeFreezes } from "../../../../shared/engine/fleet/frozen-targets.ts";
import { makeFreezing } from "../../../../shared/engine/inbox/freezing.ts";
import { JournalUnavailableError } from "../../../../shared/stores/journal.ts";
import type { MemoryQueue } from "../../../../shared/stores/memory/memory-queue.ts";
import { begin, makeProcess, stateOf, until, wanted } from "../../freezing-process.ts";
import { readRecord } from "../../steps.ts";
import { type Gate, open } from "../../world.ts";

function drain(queue: MemoryQueue): void {
  while (queue.receive()) continue;
}

test("An early end wakes what it releases, when every worker knows of it", async () => {
  const { world, one } = await begin();
  const { id } = await one.freeze(wanted);
  const asked = await one.request();
  await one.run();
  const two = makeProcess(world);
  // This process knows the freeze, and learns of its end only when its knowledge is ten seconds old.
  await two.work();
  drain(one.queue);
  await one.endFreeze(id, { by: "ben" });
  expect(one.queue.receive()).toBeUndefined();
  world.advance(15 * second);
  await two.operations.work(one.queue.receive());
  expect(await stateOf(world, asked?.rotationId)).toBe("done");
  expect(one.queue.messages).toEqual([]);
});

test("An early end wakes at most 100 targets at once, and none that waits for something else", async () => {
  const { world } = await begin();
  const targets = Array.from({ length: 250 }, (_, index) => ({
    ...world.target,
    id: `t-${index}`,
    tags: { team: index < 150 ? "many" : "few" },
  }));
  const process = makeProcess(world, targets);
  const many = await process.freeze({ ...wanted, selection: { tags: [["team", "many"]] } });
  const few = await process.freeze({ ...wanted, selection: { targets: ["t-200", "t-201"] } });
  for (const { id } of targets) await process.operations.work({ targetId: id, because: "test" });
  for (const { id } of targets.slice(0, 201)) {
    await process.operations.request(id, { reason: "operator", requestedBy: "eva" });
  }
  drain(process.queue);
  await process.endFreeze(few.id, { by: "ben" });
  expect(process.queue.messages.map(({ message }) => message.targetId)).toEqual(["t-200"]);
  await process.endFreeze(few.id, { by: "ben" });
  expect(process.queue.messages).toHaveLength(1);
  await process.endFreeze(many.id, { by: "ben" });
  expect(process.queue.messages).toHaveLength(1 + 100);
});

test("A freeze is ended although its targets cannot be listed", async () => {
  const { world, one } = await begin();
  const { id } = await one.freeze(wanted);
  const ports = world.ports(open);
  const targets = () => Promise.reject(new JournalUnavailableError("down"));
  const journal = { ...ports.journal, targets };
  const queues = { queue: one.queue, firstQueue: one.queue, targets: [world.target] };
  const ending = makeFreezing({ ...ports, journal }, makeFreezes(journal), queues);
  expect(await ending.endFreeze(id, { by: "ben" })).toMatchObject({ state: "ended" });
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

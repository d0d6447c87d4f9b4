import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { claimLength } from "../../shared/core/lifecycle/decide.ts";
import { day, minute, second } from "../../shared/core/time.ts";
import type { Operations } from "../../shared/engine/operations.ts";
import type { Journal } from "../../shared/stores/journal.ts";
import { toPartition } from "../../shared/stores/table/row-keys.ts";
import { type Gate, open } from "../engine/world.ts";
import { type AzuriteTables, azuriteTables } from "../stores/azurite-tables.ts";
import { type Fleet, type Functions, type QueueName, startFleet } from "./stored-fleet.ts";

// The crash tests of messages in test/engine/sweep.test.ts and test/engine/messages.test.ts, on real storage.

let tables: AzuriteTables;
let fleets: Fleet[] = [];
beforeAll(async () => {
  tables = await azuriteTables();
});
afterEach(async () => {
  for (const fleet of fleets) await fleet.close();
  fleets = [];
});
afterAll(() => tables.close());

async function adoptedFleet(ids: readonly string[]): Promise<Fleet> {
  const fleet = await startFleet(tables, ids);
  fleets.push(fleet);
  expect(await fleet.sweep()).toBe(ids.length);
  // A new process knows the clock of the storage only to the second, so targets may not be due for it yet.
  await fleet.pass(minute);
  expect(await fleet.deliver()).toHaveLength(ids.length);
  return fleet;
}

/** Targets that are due for their first rotation. */
async function dueFleet(ids: readonly string[]): Promise<Fleet> {
  const fleet = await adoptedFleet(ids);
  await fleet.pass(91 * day);
  return fleet;
}

/** Each target was rotated exactly once, no message is left, and nothing is due. */
async function expectRotatedOnce(fleet: Fleet): Promise<void> {
  const { ids } = fleet;
  expect(await fleet.outcomes()).toEqual(
    ids.map((id) => ({ id, rotations: ["done"], published: 1, isAccepted: true })),
  );
  expect(await fleet.marks()).toEqual(Object.fromEntries(ids.map((id) => [id, 0])));
  expect(await fleet.sweep()).toBe(0);
  expect([await fleet.count(), await fleet.count("-first")]).toEqual([0, 0]);
}

describe("A lost message", () => {
  /** Another program takes the only message from the queue. */
  async function lose(fleet: Fleet, name: QueueName): Promise<void> {
    const queue = fleet.queueOf(name);
    const { receivedMessageItems } = await queue.receiveMessages();
    for (const { messageId, popReceipt } of receivedMessageItems) {
      await queue.deleteMessage(messageId, popReceipt);
    }
    expect([receivedMessageItems.length, await fleet.count(name)]).toEqual([1, 0]);
  }

  test("is sent again exactly once after its mark has expired, and its target is rotated", async () => {
    const fleet = await dueFleet(["orders"]);
    expect(await fleet.sweep()).toBe(1);
    await lose(fleet, "");
    await fleet.pass(10 * minute);
    expect([await fleet.sweep(), await fleet.count()]).toEqual([0, 0]);
    expect(await fleet.marks()).toEqual({ orders: 1 });

    await fleet.pass(6 * minute);
    expect([await fleet.sweep(), await fleet.sweep(), await fleet.count()]).toEqual([1, 0, 1]);
    expect(await fleet.marks()).toEqual({ orders: 2 });
    expect(await fleet.deliver()).toEqual(["orders"]);
    await expectRotatedOnce(fleet);
  });

  test("about a person's request is sent again after two minutes", async () => {
    const fleet = await adoptedFleet(["orders"]);
    await fleet.start().request("orders", { reason: "operator", requestedBy: "ben" });
    await lose(fleet, "-first");
    await fleet.pass(5 * second);
    expect([await fleet.sweep(), await fleet.count("-first")]).toEqual([0, 0]);
    expect(await fleet.marks()).toEqual({ orders: 1 });

    await fleet.pass(3 * minute);
    expect([await fleet.sweep(), await fleet.sweep(), await fleet.count()]).toEqual([1, 0, 0]);
    expect(await fleet.deliver("-first")).toEqual(["orders"]);
    await expectRotatedOnce(fleet);
  });
});

describe("A purged queue", () => {
  /** 105 targets in one partition, where a transaction marks at most 100, and 15 in the others. */
  function crowd(): string[] {
    const ids = Array.from({ length: 4_000 }, (_, index) => `t-${index}`);
    const isHere = (id: string) => toPartition(id) === toPartition("t-0");
    const others = ids.filter((id) => !isHere(id)).slice(0, 15);
    return [...ids.filter(isHere).slice(0, 105), ...others].toSorted();
  }

  test("receives each message of a backlog again exactly once, and every target is rotated", async () => {
    const fleet = await dueFleet(crowd());
    expect([await fleet.sweep(), await fleet.count()]).toEqual([120, 120]);
    await fleet.queueOf("").clearMessages();
    await fleet.pass(10 * minute);
    expect([await fleet.sweep(), await fleet.count()]).toEqual([0, 0]);

    await fleet.pass(6 * minute);
    expect([await fleet.sweep(), await fleet.sweep(), await fleet.count()]).toEqual([120, 0, 120]);
    expect((await fleet.deliver()).toSorted()).toEqual(fleet.ids);
    await expectRotatedOnce(fleet);
  }, 600_000);
});

describe("A sweep that dies between the send and the mark", () => {
  /** Two messages about one target are in the queue. */
  async function afterDeath(): Promise<Fleet> {
    const fleet = await dueFleet(["orders"]);
    const { proxy } = fleet;
    const before = proxy.seen.length;
    const isMarking = () => proxy.seen.slice(before).some((line) => line.includes("$batch"));
    // The mark never reaches the table, and the process gets no answer.
    proxy.hang(/\$batch/);
    void fleet.sweep().catch(() => undefined);
    await expect.poll(isMarking, { timeout: 60_000 }).toBe(true);
    proxy.hang(/$^/);
    expect([await fleet.count(), await fleet.marks()]).toEqual([1, { orders: 0 }]);

    expect([await fleet.sweep(), await fleet.sweep(), await fleet.count()]).toEqual([1, 0, 2]);
    expect(await fleet.marks()).toEqual({ orders: 1 });
    return fleet;
  }

  /** Each message is taken by a process of its own. Both processes read the row before either of them writes it. */
  function racing(fleet: Fleet): Functions {
    const waiting: (() => void)[] = [];
    const both = async () => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        if (waiting.length >= 2) for (const go of waiting) go();
      });
    };
    const readTogether = (journal: Journal): Partial<Journal> => {
      let isFirst = true;
      return {
        async read(targetId) {
          const found = await journal.read(targetId);
          if (isFirst) await both();
          isFirst = false;
          return found;
        },
      };
    };
    return { ...fleet.start(), work: (message) => fleet.start(open, readTogether).work(message) };
  }

  test("causes a second message, and no second rotation when a worker takes one after the other", async () => {
    const fleet = await afterDeath();
    expect(await fleet.deliver("", fleet.start(), 1)).toEqual(["orders", "orders"]);
    await expectRotatedOnce(fleet);
  });

  test("causes a second message, and no second rotation when two workers race", async () => {
    const fleet = await afterDeath();
    expect(await fleet.deliver("", racing(fleet))).toEqual(["orders", "orders"]);
    await expectRotatedOnce(fleet);
  });
});

describe("A poisoned message", () => {
  const fiveTimes = Array.from({ length: 5 }, () => "orders");

  test("raises an alarm, and is sent again with growing waits until the target can be rotated", async () => {
    const fleet = await dueFleet(["orders"]);
    const work = () => Promise.reject(new Error("The app could not start."));
    for (const [round, minutes] of [15, 30, 60].entries()) {
      expect(await fleet.sweep()).toBe(1);
      expect(await fleet.deliver("", { ...fleet.start(), work })).toEqual(fiveTimes);
      expect([await fleet.count(), await fleet.count("-poison")]).toEqual([0, 1]);
      expect(await fleet.deliver("-poison")).toEqual(["orders"]);
      expect(await fleet.count("-poison")).toBe(0);
      expect(await fleet.rows("alarm")).toHaveLength(round + 1);
      expect(await fleet.marks()).toEqual({ orders: round + 1 });

      await fleet.pass((minutes - 5) * minute);
      expect([await fleet.sweep(), await fleet.count()]).toEqual([0, 0]);
      await fleet.pass(6 * minute);
    }
    const alarm = { kind: "gave-up", targetId: "orders" };
    expect(await fleet.rows("alarm")).toMatchObject([alarm, alarm, alarm]);

    expect(await fleet.sweep()).toBe(1);
    expect(await fleet.deliver()).toEqual(["orders"]);
    await expectRotatedOnce(fleet);
  });

  /** Resolves when a worker is about to change the account, which never happens. */
  async function dieBeforeChange(fleet: Fleet, message: Parameters<Operations["work"]>[0]) {
    const reached = Promise.withResolvers<undefined>();
    const gate: Gate = (effect, call) => {
      if (effect !== "target.apply") return call();
      reached.resolve(undefined);
      return new Promise(() => undefined);
    };
    void fleet.start(gate).work(message);
    await reached.promise;
  }

  test("does not end the rotation that its first worker had started", async () => {
    const fleet = await dueFleet(["orders"]);
    expect(await fleet.sweep()).toBe(1);
    let deaths = 0;
    const work: Operations["work"] = async (message) => {
      if (deaths++ === 0) await dieBeforeChange(fleet, message);
      throw new Error("The process died.");
    };
    expect(await fleet.deliver("", { ...fleet.start(), work })).toEqual(fiveTimes);
    expect(await fleet.deliver("-poison")).toEqual(["orders"]);
    expect([await fleet.sweep(), await fleet.count("-first")]).toEqual([0, 0]);

    await fleet.pass(claimLength + minute);
    expect([await fleet.sweep(), await fleet.sweep(), await fleet.count()]).toEqual([1, 0, 0]);
    expect(await fleet.deliver("-first")).toEqual(["orders"]);
    await expectRotatedOnce(fleet);
  });
});

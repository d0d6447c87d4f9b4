import { beforeEach, describe, expect, it } from "vitest";
import type { Queue, WorkMessage } from "../../../shared/stores/queue.ts";
import { parseWorkMessage } from "../../../shared/stores/work-message.ts";

export interface QueueUnderTest {
  readonly queue: Queue;
  /** The text that a reader gets now; undefined when no message is visible. */
  receive(): Promise<unknown>;
  /** Waits until `milliseconds` have passed for the queue. */
  pass(milliseconds: number): Promise<void>;
}

/** Every rule of the queue's contract. `open` gives an empty queue. */
export function queueSuite(name: string, open: () => QueueUnderTest): void {
  describe(name, () => {
    let under: QueueUnderTest;
    beforeEach(() => {
      under = open();
    });

    it("delivers a message unchanged", async () => {
      const messages: WorkMessage[] = [
        { targetId: "orders-db", because: "due" },
        { targetId: "0", because: 'Grüße "👋" <xml/> & \\ \n' },
        { targetId: "z".repeat(63), because: "" },
      ];
      for (const message of messages) {
        await under.queue.send(message);
        expect(parseWorkMessage(await under.receive())).toStrictEqual(message);
      }
      expect(await under.receive()).toBeUndefined();
    });

    it("delivers each of many messages sent at the same time", async () => {
      const ids = Array.from({ length: 20 }, (_, index) => `target-${index}`);
      await Promise.all(ids.map((targetId) => under.queue.send({ targetId, because: "due" })));
      const received: string[] = [];
      for (
        let message = await under.receive();
        message !== undefined;
        message = await under.receive()
      ) {
        received.push(parseWorkMessage(message)?.targetId ?? "unreadable");
      }
      expect(received.sort()).toStrictEqual(ids.sort());
    });

    it("hides a delayed message until its time, in whole seconds", async () => {
      await under.queue.send({ targetId: "late", because: "retry" }, 1);
      await under.queue.send({ targetId: "now", because: "due" }, 0);
      expect(parseWorkMessage(await under.receive())?.targetId).toBe("now");
      expect(await under.receive()).toBeUndefined();
      await under.pass(1_000);
      expect(parseWorkMessage(await under.receive())?.targetId).toBe("late");
    });

    it("accepts delays that are too long or negative", async () => {
      await under.queue.send({ targetId: "far", because: "due" }, Number.MAX_SAFE_INTEGER);
      await under.queue.send({ targetId: "endless", because: "due" }, Infinity);
      expect(await under.receive()).toBeUndefined();
      await under.queue.send({ targetId: "past", because: "due" }, -5_000);
      expect(parseWorkMessage(await under.receive())?.targetId).toBe("past");
    });

    it("sends nothing but the two fields of a message", async () => {
      const message = { targetId: "orders-db", because: "due", password: "hunter2" };
      await under.queue.send(message);
      expect(JSON.stringify(await under.receive())).not.toContain("hunter2");
    });
  });
}

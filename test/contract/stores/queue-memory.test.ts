import { expect, it } from "vitest";
import { plus } from "../../../shared/core/time.ts";
import { makeMemoryQueue } from "../../../shared/stores/memory/memory-queue.ts";
import { queueSuite } from "./queue.suite.ts";

const noon = "2026-03-01T12:00:00.000Z";

queueSuite("the queue in memory", () => {
  let now = noon;
  const queue = makeMemoryQueue(() => now);
  return {
    queue,
    receive: () => Promise.resolve(queue.receive()),
    pass: (milliseconds) => {
      now = plus(now, milliseconds);
      return Promise.resolve();
    },
  };
});

it("the queue in memory shows what waits, and until when", async () => {
  const queue = makeMemoryQueue(() => noon);
  await queue.send({ targetId: "a", because: "due" });
  await queue.send({ targetId: "b", because: "retry" }, 1_001);
  await queue.send({ targetId: "c", because: "retry" }, Infinity);
  expect(queue.messages).toStrictEqual([
    { message: { targetId: "a", because: "due" }, visibleAt: noon },
    { message: { targetId: "b", because: "retry" }, visibleAt: "2026-03-01T12:00:02.000Z" },
    { message: { targetId: "c", because: "retry" }, visibleAt: "2026-03-08T12:00:00.000Z" },
  ]);
});

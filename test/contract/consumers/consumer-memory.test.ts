import { expect, it } from "vitest";
import { failure } from "../../../conformance/errors.ts";
import { makeMemoryConsumer } from "../../../shared/consumers/memory-consumer.ts";
import { consumerSuite, refresh } from "./consumer.suite.ts";

consumerSuite("a consumer in memory", () => {
  const consumer = makeMemoryConsumer("orders-api");
  return Promise.resolve({
    consumer,
    asked: () => consumer.refreshes,
    close: () => Promise.resolve(),
  });
});

it("a consumer in memory throws and remembers nothing while it is broken", async () => {
  const consumer = makeMemoryConsumer("orders-api");
  consumer.broken = true;
  const error = await failure(consumer.refresh(refresh, new AbortController().signal));
  expect(error.message).toContain("orders-api");
  expect(consumer.refreshes).toEqual([]);
});

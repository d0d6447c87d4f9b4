import { expect, test } from "vitest";
import { makeMemoryPace } from "../../../shared/stores/memory/memory-pace.ts";
import { makeSharedPace } from "../../../shared/stores/shared-pace.ts";
import { testPace } from "./pace.suite.ts";

const store = makeMemoryPace();
testPace("in memory", () => store);

test("without its storage the pace permits every version", async () => {
  const away = () => Promise.reject(new Error("away"));
  const pace = makeSharedPace(
    { read: away, write: away },
    () => 10,
    () => new Date(),
  );
  await pace.slowDown("main", 60_000);
  expect(await Promise.all([1, 2, 3].map(() => pace.take("main", 10, 0)))).toEqual([0, 0, 0]);
});

test("callers that arrive during a query become part of the next one", async () => {
  let writes = 0;
  const memory = makeMemoryPace();
  const write: typeof memory.write = (...mark) => {
    writes++;
    return memory.write(...mark);
  };
  const pace = makeSharedPace(
    { ...memory, write },
    () => 280,
    () => new Date(),
  );
  await Promise.all(Array.from({ length: 50 }, () => pace.take("main", 2, 60_000)));
  expect(writes).toBe(2);
});

import { expect, it } from "vitest";
import { parseWorkMessage } from "../../shared/stores/work-message.ts";

it("a work message is read from the input of the host", () => {
  const message = { targetId: "orders-db", because: "due" };
  expect(parseWorkMessage(message)).toStrictEqual(message);
  expect(parseWorkMessage({ ...message, addedLater: 1 })).toStrictEqual(message);
});

it.each([
  undefined,
  null,
  7,
  "orders-db",
  "",
  [],
  {},
  { targetId: "orders-db" },
  { because: "due" },
  { targetId: "../secrets", because: "due" },
  { targetId: "", because: "due" },
  { targetId: 1, because: "due" },
  { targetId: "orders-db", because: { deep: true } },
])("%j is no work message", (input) => {
  expect(parseWorkMessage(input)).toBeUndefined();
});

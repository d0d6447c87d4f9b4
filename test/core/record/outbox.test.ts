import { expect, test } from "vitest";
import { withDelivered } from "../../../shared/core/record/outbox.ts";
import type { Notification } from "../../../shared/core/record/record.ts";

const note = (id: string, toldTo?: readonly string[]): Notification => ({
  id,
  type: "alarm",
  targetId: "orders",
  at: "2026-03-01T10:00:00.000Z",
  data: {},
  ...(toldTo && { toldTo }),
});

test("a notification that every notifier has received is removed", () => {
  expect(withDelivered([note("1"), note("2", ["a"])], ["a", "b"], ["a", "b"])).toEqual([]);
});

test("a notification that one notifier has not received waits, and remembers the others", () => {
  expect(withDelivered([note("1"), note("2", ["b"])], ["a", "b", "c"], ["a"])).toEqual([
    note("1", ["a"]),
    note("2", ["a", "b"]),
  ]);
});

test("each receiver is remembered once, however often the others are notified again", () => {
  let outbox: Notification[] = [note("1")];
  for (let round = 0; round < 1_000; round++) outbox = withDelivered(outbox, ["a", "b"], ["a"]);
  expect(outbox).toEqual([note("1", ["a"])]);
});

test("notifiers that left the configuration are forgotten", () => {
  expect(withDelivered([note("1", ["gone", "a"])], ["a", "b"], [])).toEqual([note("1", ["a"])]);
});

test("without notifiers nothing waits", () => {
  expect(withDelivered([note("1")], [], [])).toEqual([]);
});

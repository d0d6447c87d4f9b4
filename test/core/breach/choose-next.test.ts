import { expect, test } from "vitest";
import type { BreachItem } from "../../../shared/core/breach/breach.ts";
import { makeChooser, maxPerServer, maxUnderWay } from "../../../shared/core/breach/choose-next.ts";
import { plus } from "../../../shared/core/time.ts";
import { leanItem } from "../../stores/full-breaches.ts";
import { now } from "./candidates.ts";

const item = (place: number, server = "db-1", more: Partial<BreachItem> = {}): BreachItem => ({
  ...leanItem("01JNN1", place),
  server,
  ...more,
});
const items = (count: number, server?: string, more?: Partial<BreachItem>) =>
  Array.from({ length: count }, (_, index) => item(index + 1, server, more));

const limits = {
  now,
  needsOf: ({ server }: BreachItem) => ({ server, creates: new Map([["main", 2]]) }),
  perWindow: () => 1_000_000,
};
const take = (
  begun: readonly BreachItem[],
  waiting: readonly BreachItem[],
  more: Partial<Parameters<typeof makeChooser>[1]> = {},
) => {
  const chooser = makeChooser(begun, { ...limits, ...more });
  return waiting.filter((one) => chooser.take(one)).length;
};

test("One server gets a bounded number, and those that have begun count", () => {
  expect(take([], items(50))).toBe(maxPerServer);
  expect(take(items(5), items(50))).toBe(maxPerServer - 5);
  expect(take(items(maxPerServer), [...items(3), ...items(3, "db-2")])).toBe(3);
});

test("One vault gets what it has room for in five seconds, and at least one rotation", () => {
  const others = Array.from({ length: 200 }, (_, index) => item(index, `db-${index}`));
  expect(take([], others, { perWindow: () => 280 })).toBe(70);
  expect(take([], others, { perWindow: () => 1 })).toBe(1);
});

test("All servers together get a bounded number", () => {
  const others = Array.from({ length: 500 }, (_, index) => item(index, `db-${index}`));
  expect(take([], others)).toBe(maxUnderWay);
});

test("A rotation that waits takes no room of its vault, and after half a minute none of its server", () => {
  const begun = (seconds: number) =>
    items(maxPerServer, "db-1", { waitsFor: "a freeze", begunAt: plus(now, -seconds * 1_000) });
  const narrow = { perWindow: () => 4 };
  expect(take(begun(10), items(5, "db-2"), narrow)).toBe(1);
  expect(take(begun(10), items(5))).toBe(0);
  expect(take(begun(31), items(5))).toBe(5);
});

test("An unknown target is not chosen", () => {
  expect(take([], items(3), { needsOf: () => undefined })).toBe(0);
});

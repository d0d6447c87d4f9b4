import { expect, it } from "vitest";
import { day, hour } from "../../../shared/core/time.ts";
import { plan, target } from "./sample.ts";

const every = 500 * day;

it("clock changes are sorted by time, in any order of targets", () => {
  const { clockChanges } = plan(
    target("a", { every, timeZone: "Australia/Sydney" }),
    target("b", { every, timeZone: "Europe/Vienna" }),
    target("c", { every, timeZone: "America/New_York" }),
    target("d", { every }),
  );
  expect(clockChanges.map(({ timeZone, at, by }) => [timeZone, at, by / hour])).toStrictEqual([
    ["America/New_York", "2026-03-08T07:00:00.000Z", 1],
    ["Europe/Vienna", "2026-03-29T01:00:00.000Z", 1],
    ["Australia/Sydney", "2026-04-04T16:00:00.000Z", -1],
  ]);
});

it("only rotations in the zone of a clock change count as near it", () => {
  const near = (timeZone?: string) =>
    plan(
      target("a", { every, timeZone: "Europe/Vienna" }),
      target("b", { every: 28 * day, ...(timeZone !== undefined && { timeZone }) }),
    ).clockChanges.find((change) => change.timeZone === "Europe/Vienna")?.rotations;
  expect(near("Europe/Vienna")).toBe(1);
  expect(near("Europe/Berlin")).toBe(0);
  expect(near()).toBe(0);
});

import { expect, test } from "vitest";
import { formatLimits, parseLimit } from "../../../shared/core/simulation/limits.ts";
import { minute, second } from "../../../shared/core/time.ts";

test.each([
  ["10/10s", { count: 10, within: 10 * second }],
  ["1/1ms", { count: 1, within: 1 }],
  ["999999/2m", { count: 999_999, within: 2 * minute }],
])("%s is a limit", (text, limit) => {
  expect(parseLimit(text)).toStrictEqual(limit);
});

test.each([
  "",
  "10",
  "10/",
  "/10s",
  "0/10s",
  "10/0s",
  "-1/10s",
  "1.5/10s",
  "10/10",
  "10 / 10s",
  "1000000/1s",
  "10/10s/1",
  "x10/10s",
])("%j is not a limit", (text) => {
  expect(parseLimit(text)).toBeUndefined();
});

test("limits are formatted in words", () => {
  const limits = {
    perServer: { count: 3, within: minute },
    perVault: { count: 40, within: second },
  };
  expect(formatLimits(limits)).toBe(
    "3 rotations in 1m on a server, 40 new versions in 1s in a vault",
  );
});

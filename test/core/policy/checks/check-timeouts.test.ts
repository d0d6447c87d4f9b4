import { expect, it } from "vitest";
import { day, second } from "../../../../shared/core/time.ts";
import { said } from "../findings.ts";

const every = 90 * day;

it.each([
  ["does not limit connecting", { verify: second }],
  ["limits connecting to less than the whole", { connect: second, verify: 2 * second }],
  ["limits connecting to the time of the whole", { connect: 5 * second, verify: 5 * second }],
  ["limits connecting to the engine's time for a log-in", { connect: 20 * second }],
])("a policy that %s has no problems", (_, timeouts) => {
  expect(said({ every, timeouts })).toStrictEqual([]);
});

it.each([
  [
    "a log-in",
    { connect: 6 * second, verify: 5 * second },
    [
      "error timeouts.connect: must not be longer than verify (5s), which includes connecting, but is 6s",
    ],
  ],
  [
    "a log-in without its own limit",
    { connect: 21 * second },
    [
      "error timeouts.connect: must not be longer than verify (20s), which includes connecting, but is 21s",
    ],
  ],
  [
    "a change",
    { connect: 6 * second, change: 5 * second },
    [
      "error timeouts.connect: must not be longer than change (5s), which includes connecting, but is 6s",
    ],
  ],
])("a longer limit for connecting than for %s is refused", (_, timeouts, expected) => {
  expect(said({ every, timeouts })).toStrictEqual(expected);
});

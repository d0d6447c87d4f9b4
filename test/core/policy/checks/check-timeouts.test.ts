import { expect, it } from "vitest";
import { day, second } from "../../../../shared/core/time.ts";
import { said } from "../findings.ts";

const every = 90 * day;

it.each([
  ["says nothing of connecting", { verify: second }],
  ["gives connecting less time than the whole", { connect: second, verify: 2 * second }],
  ["gives connecting all the time there is", { connect: 5 * second, verify: 5 * second }],
  ["gives connecting what the engine allows for a log-in", { connect: 20 * second }],
])("a policy that %s is not complained about", (_, timeouts) => {
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
    "a log-in of which nothing is said",
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
])("more time for connecting than for %s is refused", (_, timeouts, expected) => {
  expect(said({ every, timeouts })).toStrictEqual(expected);
});

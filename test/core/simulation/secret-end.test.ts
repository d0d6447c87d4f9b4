import { expect, test } from "vitest";
import { defaultLimits } from "../../../shared/core/simulation/limits.ts";
import { describeWhy } from "../../../shared/core/simulation/model.ts";
import { simulate } from "../../../shared/core/simulation/simulate.ts";
import { day, plus } from "../../../shared/core/time.ts";
import { from, target } from "./sample.ts";

test("rotates a secret before the system ends it, again and again", () => {
  const yearly = { every: 365 * day };
  const lifetime = 60 * day;
  const own = target("app", yearly, {
    lifetime,
    facts: { changedAt: from, endsAt: plus(from, 20 * day) },
  });
  const { rotations } = simulate([own], {
    from,
    to: plus(from, 150 * day),
    limits: defaultLimits,
  });
  const days = rotations.map(({ at }) => Math.floor((at - Date.parse(from)) / day));
  expect(days).toEqual([12, 64, 116]);
  const [first, second] = rotations.map(describeWhy);
  expect(first).toBe(
    `policy test: due before the system ends the secret at ${plus(from, 20 * day)}`,
  );
  expect(second).toMatch(/before the system ends the secret at 2026-05-12T/);
});

test("keeps the interval where the secret lasts longer", () => {
  const own = target("app", { every: 30 * day }, { lifetime: 90 * day });
  const { rotations } = simulate([own], {
    from,
    to: plus(from, 100 * day),
    limits: defaultLimits,
  });
  expect(rotations).toHaveLength(3);
  expect(rotations.map(describeWhy).join()).not.toContain("ends the secret");
});

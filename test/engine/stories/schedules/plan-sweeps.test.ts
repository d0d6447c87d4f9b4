import { expect, test } from "vitest";
import { sweepDistance, usualSweep as sweepEvery } from "../../../../shared/core/fleet/sweeps.ts";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { simulateTargets } from "../../../../shared/core/simulation/scope.ts";
import { hour, minute, second } from "../../../../shared/core/time.ts";
import { sweep } from "../../../../shared/engine/scheduling/sweep.ts";
import { workOn } from "../../../../shared/engine/worker.ts";
import { makeMemoryQueue } from "../../../../shared/stores/memory/memory-queue.ts";
import { withPolicy } from "../../policy-world.ts";
import { type Gate, makeWorld, singleAdmin } from "../../world.ts";

const begin = Date.parse("2026-01-01T00:00:00.000Z");
const iso = (moment: number) => new Date(moment).toISOString();

/** A world whose target has only these rules that make a rotation due. */
async function makeWorldWith(fields: Partial<Policy>) {
  const world = await makeWorld(singleAdmin);
  const { every: _, ...policy } = world.target.policy;
  return withPolicy({ ...world, target: { ...world.target, policy } }, fields);
}

/** Returns when rotations start in the hours after the adoption, with a sweep each minute and changes that take two seconds. */
async function startsIn(fields: Partial<Policy>, length: number): Promise<number[]> {
  const world = await makeWorldWith(fields);
  let moment = begin;
  const slowly: Gate = (effect, call) => {
    if (effect === "target.apply") world.advanceTo(iso(moment + 2 * second));
    return call();
  };
  const ports = world.ports(slowly);
  await workOn(ports, world.target);
  for (moment = begin + sweepEvery; moment <= begin + length; moment += sweepEvery) {
    world.advanceTo(iso(moment));
    const queue = makeMemoryQueue(() => iso(moment));
    await sweep({ journal: ports.journal, queue }, { isKnown: () => true });
    if (queue.messages.length > 0) await workOn(ports, world.target);
  }
  return world.events.filter(({ type }) => type === "started").map(({ at }) => Date.parse(at));
}

async function plannedIn(fields: Partial<Policy>, length: number): Promise<number[]> {
  const { target } = await makeWorldWith(fields);
  const { rotations } = simulateTargets(
    [target],
    { to: iso(begin + length) },
    { now: iso(begin), factsOf: () => undefined, serverOf: () => "db" },
  );
  return rotations.map(({ at }) => at);
}

test.each<[string, Partial<Policy>, number]>([
  ["every: 15s", { every: 15 * second }, hour],
  ["every: 50s", { every: 50 * second }, hour],
  ["every: 1m", { every: minute }, hour],
  ["every: 90s", { every: 90 * second }, hour],
  ["every: 1h", { every: hour }, 12 * hour],
  ["a cron of every minute", { cron: "* * * * *" }, hour],
  ["a cron of every quarter", { cron: "*/15 * * * *" }, 3 * hour],
])(
  "The plan of %s has the rotations that the engine makes, up to one sweep interval earlier",
  async (_, fields, length) => {
    const [starts, planned] = [await startsIn(fields, length), await plannedIn(fields, length)];
    expect(planned.length).toBeGreaterThan(3);
    // The plan does not include a rotation that starts when the plan ends.
    expect(starts.filter((start) => start < begin + length).length).toBeLessThanOrEqual(
      planned.length,
    );
    for (const [index, plannedAt] of planned.entries()) {
      const wait = (starts[index] ?? NaN) - plannedAt;
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThan(sweepEvery);
    }
  },
);

test.each<[string | undefined, number]>([
  ["0 * * * * *", minute],
  ["*/2 * * * * *", 2 * second],
  ["0 */5 * * * *", 5 * minute],
  ["0 0 8-18 * * *", 14 * hour],
  // A disabled timer, a time span, and an empty setting.
  ["0 0 0 29 2 *", minute],
  ["00:05:00", minute],
  [undefined, minute],
])("Sweeps of the timetable %s are at most %i ms apart", (timetable, distance) => {
  expect(sweepDistance(timetable)).toBe(distance);
});

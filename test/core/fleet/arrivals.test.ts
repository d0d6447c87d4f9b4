import { describe, expect, test } from "vitest";
import { spreadArrivals } from "../../../shared/core/fleet/arrivals.ts";
import { minute, second } from "../../../shared/core/time.ts";
import { makeWorld, pairAdmin } from "../../engine/world.ts";

const { target } = await makeWorld(pairAdmin);
const inVault = (published: string, pending = published) => ({
  ...target,
  publish: { ...target.publish, vault: published },
  pendingVault: pending,
});

/** The delays of so many targets. */
function admitAll(count: number, vault = "main", arrivals = spreadArrivals(() => 280, minute)) {
  return Array.from({ length: count }, () => arrivals.admit(inVault(vault)));
}

describe("the messages of a sweep", () => {
  test("arrive as fast as the vault creates versions: 280 in ten seconds, two for each target", () => {
    const delays = admitAll(280);
    for (let end = 10; end <= 20; end += 10) {
      const until = delays.filter((delay) => delay !== undefined && delay < end * second);
      expect(until.length).toBeLessThanOrEqual(14 * end + 14);
      expect(until.length).toBeGreaterThanOrEqual(14 * end - 14);
    }
  });

  test("arrive at once where few targets are due", () => {
    expect(admitAll(14)).toEqual(Array.from({ length: 14 }, () => 0));
  });

  test("are left to the next sweep once the vault has no room before it", () => {
    const delays = admitAll(900);
    expect(delays.filter((delay) => delay === undefined)).toHaveLength(60);
    expect(delays.slice(840).every((delay) => delay === undefined)).toBe(true);
  });

  test("about targets of another vault do not wait for a vault that is full", () => {
    const arrivals = spreadArrivals(() => 280, minute);
    admitAll(900, "full", arrivals);
    expect(admitAll(3, "idle", arrivals)).toEqual([0, 0, 0]);
  });

  test("arrive twice as fast where pending versions are in another vault", () => {
    const arrivals = spreadArrivals(() => 280, minute);
    const delays = Array.from({ length: 1_700 }, () => arrivals.admit(inVault("main", "waiting")));
    expect(delays.filter((delay) => delay !== undefined)).toHaveLength(1_680);
  });
});

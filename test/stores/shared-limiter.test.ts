import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RequestLimits } from "../../shared/core/limits/token-bucket.ts";
import { minute, second } from "../../shared/core/time.ts";
import { makeMemoryPace } from "../../shared/stores/memory/memory-pace.ts";
import type { PaceStore } from "../../shared/stores/pace.ts";
import { makeSharedLimiter } from "../../shared/stores/shared-limiter.ts";

const usualLimits: RequestLimits = { reads: 600, writes: 60 };

/** Several instances with one clock and one storage, which counts its calls and can fail. */
function makeFleet(instances: number, limits: RequestLimits = usualLimits) {
  let time = Date.parse("2026-03-01T10:00:00.000Z");
  const marks = makeMemoryPace();
  const seen = { calls: 0, isDown: false };
  const through = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    seen.calls++;
    await setImmediate();
    if (seen.isDown) throw new Error("down");
    return call();
  };
  const store: PaceStore = {
    read: (name) => through(() => marks.read(name)),
    write: (...mark) => through(() => marks.write(...mark)),
  };
  const limiters = Array.from({ length: instances }, () =>
    makeSharedLimiter(store, limits, () => new Date(time)),
  );
  const advance = (milliseconds: number) => {
    time += milliseconds;
  };
  /** Sends so many requests to instances in turn. Returns how many were admitted. */
  async function send(requests: number, kind: "reads" | "writes" = "writes", caller = "anna") {
    const answers = await Promise.all(
      Array.from(
        { length: requests },
        async (_, index) => await limiters[index % instances]?.admit(caller, kind),
      ),
    );
    return answers.filter((answer) => answer?.wait === 0).length;
  }
  return { limiters, seen, advance, send };
}

describe("A limiter that instances share", () => {
  test.each([
    ["writes", 1],
    ["writes", 3],
    ["writes", 10],
    ["reads", 1],
    ["reads", 3],
    ["reads", 10],
  ] as const)("admits the budget of %s, within a tenth, with %i instances", async (kind, count) => {
    const { advance, send } = makeFleet(count);
    const limit = usualLimits[kind];
    let admitted = 0;
    // For five minutes, twice as many requests as permitted.
    for (let seconds = 0; seconds < 300; seconds++) {
      admitted += await send(Math.ceil((2 * limit) / 60), kind);
      advance(second);
    }
    const permitted = limit + (limit * 299) / 60;
    expect(admitted / permitted).toBeGreaterThan(0.9);
    expect(admitted / permitted).toBeLessThan(1.1);
  });

  test("admits about the budget of a sudden flood, and refuses the rest without a call", async () => {
    const { advance, seen, send } = makeFleet(5);
    const admitted = await send(1_000);
    expect(admitted).toBeGreaterThanOrEqual(55);
    // Each instance may admit a twentieth before it queries the storage.
    expect(admitted).toBeLessThanOrEqual(60 + 5 * 3);
    const { calls } = seen;
    for (let round = 0; round < 9; round++) {
      advance(50);
      expect(await send(100)).toBeLessThanOrEqual(1);
    }
    expect(seen.calls - calls).toBeLessThan(20);
  });

  test("makes no call for a caller with few requests", async () => {
    const { advance, seen, send } = makeFleet(1);
    for (let minutes = 0; minutes < 30; minutes++) {
      expect(await send(30, "reads")).toBe(30);
      expect(await send(3, "writes")).toBe(3);
      advance(minute);
    }
    expect(seen.calls).toBe(0);
  });

  test("makes few calls for a caller with many", async () => {
    const { advance, seen, send } = makeFleet(1);
    let sent = 0;
    for (let seconds = 0; seconds < 120; seconds++) {
      sent += await send(9, "reads");
      advance(second);
    }
    expect(sent).toBe(9 * 120);
    expect(seen.calls).toBeLessThan(sent / 10);
  });

  test("reports when to come back, and admits the request then", async () => {
    const { advance, limiters, send } = makeFleet(1);
    expect(await send(60)).toBe(60);
    const refused = await limiters[0]?.admit("anna", "writes");
    expect(refused).toEqual({ wait: 1_000, limit: 60, remaining: 0, fullIn: minute });
    advance(refused?.wait ?? 0);
    expect(await send(2)).toBe(1);
  });

  test("keeps the budgets of callers and of reads and writes apart", async () => {
    const { send } = makeFleet(2);
    await send(200, "writes");
    await send(2_000, "reads", "ben");
    expect(await send(50, "reads")).toBe(50);
    expect(await send(50, "writes", "ben")).toBe(50);
  });

  test("refuses nobody because the storage is down, and still limits each instance", async () => {
    const { advance, seen, send } = makeFleet(3);
    seen.isDown = true;
    const admitted = await send(1_000);
    expect(admitted).toBeGreaterThanOrEqual(60);
    expect(admitted).toBeLessThanOrEqual(3 * 60);
    expect(seen.calls).toBeLessThan(20);
    seen.isDown = false;
    advance(minute);
    const again = await send(1_000);
    expect(again).toBeLessThanOrEqual(70);
  });

  test("forgets callers that it has not seen for long, and not their marks", async () => {
    const { send } = makeFleet(1);
    await send(60);
    for (let other = 0; other < 1_100; other++) await send(1, "writes", `caller${other}`);
    expect(await send(60)).toBeLessThanOrEqual(6);
  });

  test("never admits much more than the budget, however requests arrive", async () => {
    const arrival = fc.record({ pause: fc.nat({ max: 5_000 }), requests: fc.nat({ max: 40 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 8 }),
        fc.array(arrival, { maxLength: 60 }),
        async (instances, arrivals) => {
          const { advance, send } = makeFleet(instances);
          let [admitted, passed] = [0, 0];
          for (const { pause, requests } of arrivals) {
            advance(pause);
            passed += pause;
            admitted += await send(requests);
          }
          // Each instance may admit a twentieth of the budget, in each minute, before it asks.
          const free = instances * 3 * (1 + Math.ceil(passed / minute));
          expect(admitted).toBeLessThanOrEqual(60 + passed / second + free);
        },
      ),
      { numRuns: 100 },
    );
  });
});

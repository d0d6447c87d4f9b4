import fc from "fast-check";
import { expect, test } from "vitest";
import { maxPerMinute, spend } from "../../../shared/core/limits/token-bucket.ts";
import { minute, plus } from "../../../shared/core/time.ts";

const now = "2026-03-01T10:00:00.000Z";

/** Sends one request after each pause, in milliseconds, and returns which were admitted. */
function send(perMinute: number, pauses: readonly number[]): boolean[] {
  let at = now;
  let fullAt: string | undefined;
  return pauses.map((pause) => {
    at = plus(at, pause);
    const spent = spend(fullAt, 1, perMinute, at);
    if (spent.wait === 0) ({ fullAt } = spent);
    return spent.wait === 0;
  });
}

test("A full bucket admits the whole budget at once, and then one request for each share of a minute", () => {
  const burst = send(60, Array<number>(61).fill(0));
  expect(burst.filter(Boolean)).toHaveLength(60);
  expect(burst.at(-1)).toBe(false);
  expect(send(60, [...Array<number>(61).fill(0), 1_000, 0]).slice(-2)).toEqual([true, false]);
});

test("A refused request may be sent after the wait, and not before", () => {
  const empty = plus(now, minute);
  const { wait } = spend(empty, 1, 60, now);
  expect(wait).toBe(1_000);
  expect(spend(empty, 1, 60, plus(now, wait)).wait).toBe(0);
  expect(spend(empty, 1, 60, plus(now, wait - 1)).wait).toBeGreaterThan(0);
});

test("In any time, no more is admitted than the budget and what is refilled", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: maxPerMinute }),
      fc.array(fc.nat({ max: 3_000 }), { maxLength: 300 }),
      (perMinute, pauses) => {
        const admitted = send(perMinute, pauses).filter(Boolean).length;
        const passed = pauses.slice(1).reduce((sum, pause) => sum + pause, 0);
        // Each moment is rounded to a millisecond.
        const refilled = (passed / minute) * perMinute;
        return admitted <= perMinute + refilled * 1.1 + 1;
      },
    ),
  );
});

test("The mark of another clock empties the bucket for a minute at most", () => {
  expect(spend("2999-01-01T00:00:00.000Z", 1, 60, now).wait).toBe(1_000);
  expect(spend("1999-01-01T00:00:00.000Z", 1, 60, now)).toMatchObject({ wait: 0, remaining: 59 });
});

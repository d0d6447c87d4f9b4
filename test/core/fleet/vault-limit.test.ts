import fc from "fast-check";
import { expect, test } from "vitest";
import { findRoom } from "../../../shared/core/fleet/vault-limit.ts";
import { between, plus, second } from "../../../shared/core/time.ts";

const now = "2026-03-01T10:00:00.000Z";

test("the first caller does not wait", () => {
  expect(findRoom(2, undefined, 280, now).wait).toBe(0);
  expect(findRoom(2, plus(now, -60 * second), 280, now).wait).toBe(0);
});

test("in any 10 seconds no more versions are created than there is room for, apart from a short burst", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 300 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 400, maxLength: 600 }),
      (perWindow, gaps) => {
        let [freeAt, at] = [undefined as string | undefined, now];
        const moments: number[] = [];
        for (const gap of gaps) {
          at = plus(at, gap);
          const room = findRoom(2, freeAt, perWindow, at);
          if (room.wait > 10 * second) continue;
          ({ freeAt } = room);
          moments.push(between(now, at) + room.wait);
        }
        for (const [index, moment] of moments.entries()) {
          const created = moments.slice(index).filter((one) => one < moment + 10 * second);
          expect(2 * created.length).toBeLessThanOrEqual(perWindow * 1.05 + 4);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test("a time further ahead than any delay is ignored", () => {
  expect(findRoom(2, "2099-01-01T00:00:00.000Z", 280, now).wait).toBe(0);
});

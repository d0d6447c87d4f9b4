import fc from "fast-check";
import { expect, test } from "vitest";
import { describePlace, orderByExposure } from "../../../shared/core/breach/order.ts";
import { candidate } from "./candidates.ts";

const at = (day: number) => `2026-02-${String(day).padStart(2, "0")}T00:00:00.000Z`;
const exposure = (kind: "exposure" | "breach", day: number) => ({
  exposure: { at: at(day), by: "eve", kind },
});

/** Each goes before all that follow. */
const inOrder = [
  candidate("z-breach", { record: exposure("breach", 20) }),
  candidate("y-early", { record: exposure("exposure", 10) }),
  candidate("x-late", { record: exposure("exposure", 11) }),
  candidate("w-admin", { adminOf: 3 }),
  candidate("v-small-admin", { adminOf: 1 }),
  candidate("u-read", { target: { consumers: ["a", "b"] } }),
  candidate("t-less-read", { target: { consumers: ["a"] } }),
  candidate("s-old", { record: { lastSuccessAt: "2025-01-01T00:00:00.000Z" } }),
  candidate("a"),
  candidate("b"),
];

test("The most exposed target goes first, whatever the order of the configuration", () => {
  const expected = inOrder.map(({ target }) => target.id);
  fc.assert(
    fc.property(fc.shuffledSubarray(inOrder, { minLength: inOrder.length }), (shuffled) => {
      const ordered = orderByExposure(shuffled).map(({ target }) => target.id);
      expect(ordered).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test("A report that a later change has answered does not count", () => {
  const answered = candidate("a", {
    record: { ...exposure("breach", 1), lastSuccessAt: at(2) },
  });
  expect(orderByExposure([answered, inOrder[0] ?? answered])[0]?.target.id).toBe("z-breach");
  expect(describePlace(answered)).toBe(`password of ${at(2)}`);
});

test("The place is explained in words", () => {
  const one = candidate("a", {
    record: exposure("exposure", 3),
    target: { consumers: ["app"] },
    adminOf: 2,
  });
  expect(describePlace(one)).toBe(
    `exposure reported by eve, at ${at(3)}; changes the passwords of 2 other targets; read by 1 consumer; password of 2026-01-01T00:00:00.000Z`,
  );
});

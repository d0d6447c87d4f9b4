import { expect, test } from "vitest";
import { faults, faultsNamed } from "../faults.ts";
import { between, drawsOf, drawsWithin, pick, shuffled } from "./draw.ts";

const orderOf = (seed: number) => shuffled(drawsOf(seed), "turn 1", faults).map(({ name }) => name);

test("The same seed gives the same order of faults, and another seed another order", () => {
  expect(orderOf(7)).toEqual(orderOf(7));
  expect(orderOf(7)).not.toEqual(orderOf(8));
  expect(orderOf(7).toSorted()).toEqual(faults.map(({ name }) => name).toSorted());
});

test("The same name means another draw in another round", () => {
  const draw = drawsOf(7);
  const targets = Array.from({ length: 40 }, (_, round) =>
    pick(drawsWithin(draw, `round ${round}`), "target", ["one", "two"]),
  );
  expect(new Set(targets)).toEqual(new Set(["one", "two"]));
});

test("A draw between two bounds stays within them", () => {
  const draw = drawsOf(7);
  for (let number = 0; number < 200; number++) {
    const drawn = between(draw, String(number), [10, 12]);
    expect(drawn).toBeGreaterThanOrEqual(10);
    expect(drawn).toBeLessThanOrEqual(12);
  }
});

test("Every fault has a name of its own", () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
});

test("Faults are chosen by parts of their names, and an unknown part lists the known names", () => {
  const chosen = faultsNamed(["vault throttles", "snapshot"]).map(({ name }) => name);
  expect(chosen).toEqual(["PostgreSQL restored from a snapshot", "vault throttles"]);
  expect(() => faultsNamed(["volcano"])).toThrow(/No fault is named "volcano".*host killed/s);
});

import { expect, test } from "vitest";
import { faults, faultsNamed } from "../faults.ts";
import { between, drawsWithin, makeDraws, pick, shuffled } from "./draw.ts";

const drawOrder = (seed: number) =>
  shuffled(makeDraws(seed), "turn 1", faults).map(({ name }) => name);

test("The same seed gives the same order of faults, and another seed another order", () => {
  expect(drawOrder(7)).toEqual(drawOrder(7));
  expect(drawOrder(7)).not.toEqual(drawOrder(8));
  expect(drawOrder(7).toSorted()).toEqual(faults.map(({ name }) => name).toSorted());
});

test("The same name means another draw in another round", () => {
  const draw = makeDraws(7);
  const targets = Array.from({ length: 40 }, (_, round) =>
    pick(drawsWithin(draw, `round ${round}`), "target", ["one", "two"]),
  );
  expect(new Set(targets)).toEqual(new Set(["one", "two"]));
});

test("A draw between two bounds stays within them", () => {
  const draw = makeDraws(7);
  for (let number = 0; number < 200; number++) {
    const drawn = between(draw, String(number), [10, 12]);
    expect(drawn).toBeGreaterThanOrEqual(10);
    expect(drawn).toBeLessThanOrEqual(12);
  }
});

test("Every fault has a unique name", () => {
  expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length);
});

test("Faults are chosen by parts of their names, and an unknown part lists the known names", () => {
  const chosen = faultsNamed(["vault throttles", "snapshot"]).map(({ name }) => name);
  expect(chosen).toEqual(["PostgreSQL restored from a snapshot", "vault throttles"]);
  expect(() => faultsNamed(["volcano"])).toThrow(/No fault is named "volcano".*host killed/s);
});

import { expect, test } from "vitest";
import { findGaps } from "../../scripts/bench/gaps.ts";

const at = (...moments: number[]) => moments.map((moment) => ({ name: "app", at: moment }));

test("a gap lasts from the change to the next publication", () => {
  expect(findGaps(at(100, 500), at(50, 130, 700), 1_000)).toEqual([
    { name: "app", lengthMs: 30, isOver: true },
    { name: "app", lengthMs: 200, isOver: true },
  ]);
});

test("a second change within a gap does not begin another one", () => {
  expect(findGaps(at(100, 200, 300), at(350), 1_000)).toEqual([
    { name: "app", lengthMs: 250, isOver: true },
  ]);
});

test("an open gap is counted up to the end of the measurement", () => {
  expect(findGaps(at(100), at(50), 1_000)).toEqual([{ name: "app", lengthMs: 900, isOver: false }]);
});

test("versions of other secrets, such as pending ones, do not end a gap", () => {
  const pending = [{ name: "keyturn-pending-app", at: 150 }];
  const [gap] = findGaps(at(100), pending, 1_000);
  expect(gap?.isOver).toBe(false);
});

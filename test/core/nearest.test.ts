import { expect, test } from "vitest";
import { findNearest, findNearestToPattern } from "../../shared/core/nearest.ts";

const ids = ["orders-db", "reports", "a"];

test.each([
  ["ordres-db", "orders-db"],
  ["report", "reports"],
  ["b", "a"],
  ["billing", undefined],
])("the name that is near to %j is %j", (word, near) => {
  expect(findNearest(word, ids)).toBe(near);
});

test.each([
  ["ordres-*", "orders-db"],
  ["ordesr*", "orders-db"],
  ["reprots", "reports"],
  ["billing-*", undefined],
])("the name that is near to the pattern %j is %j", (pattern, near) => {
  expect(findNearestToPattern(pattern, ids)).toBe(near);
});

import { expect, test } from "vitest";
import { duration, formatTable, number } from "../../scripts/bench/output/format-table.ts";
import { withResult } from "../../scripts/bench/output/page.ts";
import { greatest, median } from "../../scripts/bench/output/statistics.ts";

test("the median is the middle value, or the mean of the two in the middle", () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
  expect(greatest([2, 7, 1])).toBe(7);
});

test("numbers and durations are formatted for people", () => {
  expect(number(1234.56, 1)).toBe("1,234.6");
  expect(number(NaN)).toBe("–");
  expect([12.4, 1_530, 300_000, 661_000, 9_000_000].map(duration)).toEqual([
    ...["12 ms", "1.5 s", "300 s", "11 min", "2.5 h"],
  ]);
});

test("the table has aligned columns", () => {
  expect(formatTable([{ what: "a", value: "1" }]).split("\n")).toEqual([
    "| Figure | Value | Note |",
    "|--------|-------|------|",
    "| a      | 1     |      |",
  ]);
});

test("a result replaces only the text between its marks", () => {
  const page = "before\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nafter\n";
  const written = withResult(page, "x", "new");
  expect(written).toBe("before\n<!-- bench:x -->\n\nnew\n\n<!-- /bench:x -->\nafter\n");
  expect(withResult(written, "x", "new")).toBe(written);
  expect(() => withResult(page, "y", "new")).toThrow("no marks for the figure y");
});

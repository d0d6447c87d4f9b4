import { expect, test } from "vitest";
import { formatTable, newReport, sumUp } from "./report.ts";

test("The report is a table of faults in the order of their first occurrence", () => {
  const report = newReport();
  report.row("vault throttles").rounds += 1;
  report.row("host killed").rounds += 2;
  report.row("vault throttles").lost += 1;
  report.row("host killed").maxGapMs = 125_430;
  const [head, rule, ...rows] = formatTable(report.rows);
  expect(head).toMatch(/^\| fault +\| rounds \| lost \| late \| needs a person \|/);
  expect(rule).toMatch(/^\|(-+\|)+$/);
  expect(rows.map((row) => row.replaceAll(/ +/g, " "))).toEqual([
    "| vault throttles | 1 | 1 | 0 | 0 | 0 | 0 | 0 | 0 | – |",
    "| host killed | 2 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 125.4 s |",
  ]);
});

test("The sum counts every row, and keeps the longest gap", () => {
  const report = newReport();
  Object.assign(report.row("one"), { lost: 1, refused: 2, maxGapMs: 10 });
  Object.assign(report.row("two"), { lost: 2, withoutAlarm: 1, maxGapMs: 5 });
  expect(sumUp(report.rows)).toMatchObject({
    ...{ lost: 3, refused: 2, withoutAlarm: 1, maxGapMs: 10 },
  });
});

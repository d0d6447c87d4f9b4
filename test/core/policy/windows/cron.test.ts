import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  everFires,
  findCronProblem,
  listCronWalls,
} from "../../../../shared/core/policy/windows/cron.ts";
import { findOpenings } from "../../../../shared/core/policy/windows/openings.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { datesIn, firstShowing, jumps, listMinutes } from "../clock.ts";
import { zones } from "../sample.ts";

/** Generates a field as text together with its numbers, so that the test does not have to parse it. */
interface Field {
  readonly text: string;
  readonly numbers: readonly number[];
}

interface Expression {
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
}

function upTo(first: number, last: number, step = 1): number[] {
  return Array.from(
    { length: Math.floor((last - first) / step) + 1 },
    (_, at) => first + at * step,
  );
}

function fieldFrom(least: number, most: number): fc.Arbitrary<Field> {
  const one = fc.integer({ min: least, max: most });
  const step = fc.integer({ min: 1, max: most - least });
  const ends = fc.tuple(one, one).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  const range = ends.map(([a, b]) => ({ text: `${a}-${b}`, numbers: upTo(a, b) }));
  const single = one.map((a) => ({ text: `${a}`, numbers: [a] }));
  const list = fc.array(fc.oneof(single, range), { minLength: 2, maxLength: 3 }).map((parts) => ({
    text: parts.map(({ text }) => text).join(","),
    numbers: parts.flatMap(({ numbers }) => numbers),
  }));
  return fc.oneof(
    fc.constant({ text: "*", numbers: upTo(least, most) }),
    single,
    range,
    list,
    step.map((by) => ({ text: `*/${by}`, numbers: upTo(least, most, by) })),
    fc
      .tuple(ends, step)
      .map(([[a, b], by]) => ({ text: `${a}-${b}/${by}`, numbers: upTo(a, b, by) })),
  );
}

const expressions: fc.Arbitrary<Expression> = fc.record({
  minute: fieldFrom(0, 59),
  hour: fieldFrom(0, 23),
  dayOfMonth: fieldFrom(1, 31),
  month: fc.oneof(fc.constant({ text: "*", numbers: upTo(1, 12) }), fieldFrom(1, 12)),
  dayOfWeek: fc.oneof(
    fieldFrom(0, 6),
    fc.constantFrom({ text: "7", numbers: [0] }, { text: "mon-fri", numbers: upTo(1, 5) }),
  ),
});

function written({ minute: m, hour: h, dayOfMonth, month, dayOfWeek }: Expression): string {
  return [m, h, dayOfMonth, month, dayOfWeek].map(({ text }) => text).join(" ");
}

/** If both day fields are restricted, one match is enough. */
function isDay({ dayOfMonth, month, dayOfWeek }: Expression, date: string): boolean {
  const [, inYear = NaN, inMonth = NaN] = date.split("-").map(Number);
  if (!month.numbers.includes(inYear)) return false;
  const byMonth = dayOfMonth.numbers.includes(inMonth);
  const byWeek = dayOfWeek.numbers.includes(new Date(`${date}T00:00:00Z`).getUTCDay());
  if (dayOfMonth.text === "*" || dayOfWeek.text === "*") return byMonth && byWeek;
  return byMonth || byWeek;
}

/** Lists the times, such as `02:30`, in order. */
function listTimes(expression: Expression): string[] {
  const two = (number: number) => String(number).padStart(2, "0");
  const all = expression.hour.numbers.flatMap((h) =>
    expression.minute.numbers.map((m) => `${two(h)}:${two(m)}`),
  );
  return [...new Set(all)].sort();
}

function isoDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

describe("a cron expression", () => {
  it("fires at the minutes of its fields, for any fields", () => {
    const start = fc
      .integer({ min: 0, max: 5 * 365 * 24 * 60 })
      .map((minutes) => Date.UTC(2025, 0, 1) + minutes * minute);
    const length = fc.integer({ min: 0, max: 2 * 24 * 60 }).map((minutes) => minutes * minute);
    fc.assert(
      fc.property(expressions, start, length, (expression, from, long) => {
        const expected = [0, 1, 2]
          .map((later) => isoDate(from + later * day))
          .filter((date) => isDay(expression, date))
          .flatMap((date) => listTimes(expression).map((time) => Date.parse(`${date}T${time}Z`)))
          .filter((wall) => wall >= from && wall < from + long);
        expect(findCronProblem(written(expression))).toBeUndefined();
        expect(listCronWalls(written(expression), from, from + long)).toStrictEqual(expected);
      }),
      { numRuns: 120 },
    );
  });

  it.each([
    ["0 2 13 * 5", ["06", "13", "20", "27"]],
    ["0 2 13 * +5", ["13"]],
    ["0 2 */15 * 5", ["01", "06", "13", "16", "20", "27", "31"]],
    ["0 2 L * *", ["31"]],
    ["0 2 15W * *", ["16"]],
    ["0 2 * * 5#2", ["13"]],
    ["0 2 * * 5L", ["27"]],
  ])("of %s fires on the documented days", (text, expected) => {
    const august = listCronWalls(text, Date.UTC(2027, 7, 1), Date.UTC(2027, 8, 1));
    expect(august.map((wall) => isoDate(wall).slice(8))).toStrictEqual(expected);
  });

  it("includes the first moment but not the last, at any time of day", () => {
    const noon = Date.UTC(2026, 5, 1, 12);
    const every = (from: number, to: number) => listCronWalls("* * * * *", noon + from, noon + to);
    expect(every(0, 2 * minute)).toStrictEqual([noon, noon + minute]);
    expect(every(1, 2 * minute)).toStrictEqual([noon + minute]);
    expect(every(0, 0)).toStrictEqual([]);
  });

  it("means the same with additional spaces", () => {
    const noon = Date.UTC(2026, 5, 1, 12);
    expect(listCronWalls("  0 \t 12  * * *  ", noon - day, noon + day)).toStrictEqual([
      noon - day,
      noon,
    ]);
  });

  it("fires at some time if one of its months has such a day, or if weekdays allow it", () => {
    fc.assert(
      fc.property(expressions, (expression) => {
        // All days of four years, which include every day of the month and of the week.
        const dates = upTo(0, 4 * 366).map((later) => isoDate(Date.UTC(2024, 0, 1) + later * day));
        const fires = dates.some((date) => isDay(expression, date));
        expect(everFires(written(expression))).toBe(fires);
      }),
      { numRuns: 50 },
    );
  });

  it("starts once at each shown time, and at the end of a gap for skipped times", () => {
    const from = Date.UTC(2025, 0, 1);
    const changes = zones.flatMap((zone) =>
      jumps(zone, from, from + 365 * day).map((at) => ({ zone, at })),
    );
    const anyMonth = fc.constant({ text: "*", numbers: upTo(1, 12) });
    const twice = fc.constantFrom("0,30", "5,45", "15,59").map((text) => ({
      text,
      numbers: text.split(",").map(Number),
    }));
    const often = fc
      .tuple(expressions, anyMonth, twice)
      .map(([one, month, some]) => ({ ...one, month, minute: some }));
    fc.assert(
      fc.property(often, fc.constantFrom(...changes), (expression, { zone, at }) => {
        const minutes = listMinutes(zone, at - 26 * hour, at + 26 * hour);
        const expected = datesIn(minutes)
          .filter((date) => isDay(expression, date))
          .flatMap((date) => listTimes(expression).map((time) => firstShowing(minutes, date, time)))
          .filter((start) => start >= at - 2 * hour && start < at + 24 * hour);
        const found = findOpenings({ cron: written(expression), timeZone: zone })
          .between(at - 2 * hour - 20 * minute, at + 24 * hour)
          .map((span) => span.from)
          .filter((start) => start >= at - 2 * hour);
        expect(found).toStrictEqual([...new Set(expected)].sort((a, b) => a - b));
      }),
      { numRuns: 20 },
    );
  });
});

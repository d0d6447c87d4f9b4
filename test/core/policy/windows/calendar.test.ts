import fc from "fast-check";
import { Temporal } from "temporal-polyfill";
import { describe, expect, it } from "vitest";
import {
  formatLocal,
  parseDay,
  parseMoment,
  parseTimeOfDay,
  toWeekday,
} from "../../../../shared/core/policy/windows/calendar.ts";
import { findCronProblem, listCronWalls } from "../../../../shared/core/policy/windows/cron.ts";
import {
  mergeSpans,
  subtractSpans,
  toSpan,
} from "../../../../shared/core/policy/windows/freezes.ts";
import { findOpenings } from "../../../../shared/core/policy/windows/openings.ts";
import {
  findClockChanges,
  isTimeZone,
  toInstantIn,
  toWallClock,
} from "../../../../shared/core/policy/windows/zone.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { zones } from "../sample.ts";

describe("texts of time", () => {
  it.each([
    ["00:00", 0],
    ["02:30", 2 * hour + 30 * minute],
    ["19:05", 19 * hour + 5 * minute],
    ["23:59", day - minute],
    ["24:00", day],
    ["24:01", undefined],
    ["25:00", undefined],
    ["2:30", undefined],
    ["02:60", undefined],
    [" 02:30", undefined],
    ["02:30 ", undefined],
  ])("time of day %s", (text, expected) => {
    expect(parseTimeOfDay(text)).toBe(expected);
  });

  it.each([
    ["2026-12-20", Date.UTC(2026, 11, 20)],
    ["2028-02-29", Date.UTC(2028, 1, 29)],
    ["2026-02-29", undefined],
    ["2026-13-01", undefined],
    ["2026-1-01", undefined],
    ["2026-12", undefined],
    ["2026", undefined],
    ["x2026-12-20", undefined],
    ["2026-12-20x", undefined],
  ])("day %s", (text, expected) => {
    expect(parseDay(text)).toBe(expected);
  });

  it.each([
    ["2026-12-20T18:00:00Z", Date.UTC(2026, 11, 20, 18)],
    ["2026-12-20T18:00Z", Date.UTC(2026, 11, 20, 18)],
    ["2026-12-20T18:00:00.5Z", Date.UTC(2026, 11, 20, 18, 0, 0, 500)],
    ["2026-12-20T18:00:00.123Z", Date.UTC(2026, 11, 20, 18, 0, 0, 123)],
    ["2026-12-20T18:00:00+02:00", Date.UTC(2026, 11, 20, 16)],
    ["2026-12-20T18:00:00", undefined],
    ["2026-02-30T18:00:00Z", undefined],
    ["2026-12-20T25:00:00Z", undefined],
    ["2026-12-20", undefined],
    ["x2026-12-20T18:00Z", undefined],
    ["2026-12-20T18:00Zx", undefined],
  ])("instant %s", (text, expected) => {
    expect(parseMoment(text)).toBe(expected);
  });

  it("name the days of the week before and after 1970", () => {
    expect([-8, -1, 0, 1, 2, 3, 4, 10].map(toWeekday)).toStrictEqual([
      "wed",
      "wed",
      "thu",
      "fri",
      "sat",
      "sun",
      "mon",
      "sun",
    ]);
  });

  it("show the local time, with seconds if they are not 0", () => {
    const at = Date.parse("2026-10-31T21:00:00Z");
    expect(formatLocal(at, "Europe/Vienna")).toBe("Sat 2026-10-31 22:00 Europe/Vienna");
    expect(formatLocal(at + 7000, "Asia/Kathmandu")).toBe("Sun 2026-11-01 02:45:07 Asia/Kathmandu");
  });
});

describe("a zone", () => {
  it.each(["UTC", "Europe/Vienna", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "EST5EDT"])(
    "%s is known",
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );

  it.each([
    "",
    "Vienna",
    "Europe/Vienna ",
    "Europe/",
    "+01:00",
    "2026-01-01T00:00[UTC]",
    "/UTC",
    "UTC/",
  ])("%j is not a zone", (name) => {
    expect(isTimeZone(name)).toBe(false);
  });

  it("agrees with Temporal in any year", () => {
    const instant = fc.integer({ min: Date.UTC(1975), max: Date.UTC(2120) });
    fc.assert(
      fc.property(fc.constantFrom(...zones), instant, (zone, at) => {
        const shown = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
        const wall = toWallClock(zone, at);
        expect(wall).toBe(Date.parse(`${shown.toPlainDateTime().toString()}Z`));
        const first = toInstantIn(zone, wall);
        // A wall time that is shown twice is converted to the first of the two moments.
        expect(first <= at && at - first <= hour).toBe(true);
        expect(toWallClock(zone, first)).toBe(wall);
      }),
      { numRuns: 1000 },
    );
  });

  it("changes its clocks at the known moments of a year", () => {
    const [from, to] = [Date.UTC(2026), Date.UTC(2027)];
    const read = (zone: string) =>
      findClockChanges(zone, from, to).map(
        ({ at, before, after }) => `${new Date(at).toISOString()} ${(after - before) / minute}`,
      );
    expect(read("Australia/Lord_Howe")).toStrictEqual([
      "2026-04-04T15:00:00.000Z -30",
      "2026-10-03T15:30:00.000Z 30",
    ]);
    expect(read("Asia/Kathmandu")).toStrictEqual([]);
    // A zone that is not in the cache, with the first change long before the last.
    expect(findClockChanges("America/Denver", Date.UTC(1990), Date.UTC(2030))).toHaveLength(80);
    expect(findClockChanges("America/Denver", Date.UTC(1970), Date.UTC(1990))).toHaveLength(40);
    const [first] = findClockChanges("Europe/Vienna", from, to);
    const at = first?.at ?? NaN;
    expect(toWallClock("Europe/Vienna", at - 1) - at).toBe(hour - 1);
    expect(toWallClock("Europe/Vienna", at) - at).toBe(2 * hour);
    expect(findClockChanges("Europe/Vienna", at, at + 1)).toHaveLength(1);
    expect(findClockChanges("Europe/Vienna", at - 1, at)).toHaveLength(0);
  });
});

describe("spans", () => {
  const span = fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 10 }))
    .map(([from, length]) => ({ from, to: from + length }));
  const covers = (spans: readonly { from: number; to: number }[], at: number) =>
    spans.some(({ from, to }) => from <= at && at < to);

  it("are merged to spans that do not touch", () => {
    fc.assert(
      fc.property(fc.array(span, { maxLength: 6 }), (spans) => {
        const merged = mergeSpans(spans);
        for (let at = 0; at <= 60; at++) expect(covers(merged, at)).toBe(covers(spans, at));
        for (const [index, { from }] of merged.slice(1).entries()) {
          expect(from).toBeGreaterThan(merged[index]?.to ?? NaN);
        }
      }),
    );
  });

  it("are subtracted from another span without leaving empty spans", () => {
    fc.assert(
      fc.property(span, fc.array(span, { maxLength: 6 }), (whole, spans) => {
        const left = subtractSpans(whole, mergeSpans(spans));
        for (let at = 0; at <= 60; at++) {
          expect(covers(left, at)).toBe(covers([whole], at) && !covers(spans, at));
        }
        for (const { from, to } of left) expect(from).toBeLessThan(to);
      }),
    );
  });

  it("of a freeze include its last day in the zone", () => {
    const freeze = { from: "2026-10-24", to: "2026-10-25", reason: "x", lift: [] };
    expect(toSpan(freeze, "Europe/Vienna")).toStrictEqual({
      from: Date.parse("2026-10-23T22:00:00Z"),
      to: Date.parse("2026-10-25T23:00:00Z"),
    });
    expect(toSpan({ ...freeze, to: "2026-10-23" }, "UTC")).toBeUndefined();
    expect(toSpan({ ...freeze, to: "soon" }, "UTC")).toBeUndefined();
    expect(toSpan({ ...freeze, from: "soon" }, "UTC")).toBeUndefined();
  });
});

describe("cron", () => {
  const from = Date.UTC(2026, 5, 1);

  it("fires on its days and at its times, including the first moment but not the last", () => {
    const shown = (text: string, to: number) =>
      listCronWalls(text, from, to).map((wall) => new Date(wall).toISOString().slice(5, 16));
    expect(shown("0 */12 * * *", from + day)).toStrictEqual(["06-01T00:00", "06-01T12:00"]);
    expect(shown("30 2 * * 0", from + 14 * day)).toStrictEqual(["06-07T02:30", "06-14T02:30"]);
    // If both day fields are restricted, one match is enough, as in every cron.
    expect(shown("0 0 13 * 5", from + 14 * day)).toStrictEqual([
      "06-05T00:00",
      "06-12T00:00",
      "06-13T00:00",
    ]);
  });

  it.each(["* * * *", "0 0 2 * * *", "@daily", ""])("%j does not have five fields", (text) => {
    expect(findCronProblem(text)).toMatch(/^must have five fields/);
  });

  it("can have spaces around it", () => {
    expect(findCronProblem("  0  2 * * * ")).toBeUndefined();
  });

  it("follows the rule for clock changes", () => {
    const at = (date: string) =>
      findOpenings({ cron: "30 2 * * *", timeZone: "Europe/Vienna" })
        .between(Date.parse(`${date}T00:00:00Z`), Date.parse(`${date}T20:00:00Z`))
        .map((span) => new Date(span.from).toISOString());
    expect(at("2026-03-29")).toStrictEqual(["2026-03-29T01:00:00.000Z"]);
    expect(at("2026-10-25")).toStrictEqual(["2026-10-25T00:30:00.000Z"]);
  });

  it("starts once if two of its times fall on the end of a gap", () => {
    const starts = findOpenings({ cron: "0,30 2 * * *", timeZone: "Europe/Vienna" })
      .between(Date.parse("2026-03-29T00:00:00Z"), Date.parse("2026-03-29T20:00:00Z"))
      .map((span) => span.from);
    expect(starts).toStrictEqual([Date.parse("2026-03-29T01:00:00Z")]);
  });
});

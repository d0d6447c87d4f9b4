import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Weekday, weekdays } from "../../../../shared/core/policy/policy.ts";
import { findOpenings } from "../../../../shared/core/policy/windows/openings.ts";
import { day, minute } from "../../../../shared/core/time.ts";
import {
  appointmentMinutes,
  jumps,
  listMinutes,
  type Minute,
  openMinutes,
  type WitnessedHours,
} from "../clock.ts";
import { zones } from "../sample.ts";

interface Hours extends WitnessedHours {
  readonly days?: readonly Weekday[];
}

const start = Date.parse("2025-01-01T00:00:00Z");
const fiveYears = 5 * 365 * day;

/** Lists all minutes at which a window is open according to the code under test. */
function claimedMinutes(hours: Hours, timeZone: string, from: number, to: number): Set<number> {
  const spans = findOpenings({ ...hours, timeZone }).between(from, to);
  const claimed = new Set<number>();
  for (const span of spans) {
    for (let at = Math.max(span.from, from); at < Math.min(span.to, to); at += minute) {
      claimed.add(at);
    }
  }
  return claimed;
}

/** `minutes` extend two days further on both sides. */
function expectAsWitnessed(
  hours: Hours,
  zone: string,
  minutes: readonly Minute[],
  [from, to]: readonly [number, number],
) {
  if (hours.at) {
    const claimed = findOpenings({ ...hours, timeZone: zone })
      .between(from, to)
      .map((span) => span.from);
    const seen = appointmentMinutes(minutes, hours);
    expect(claimed.filter((at) => at >= from)).toStrictEqual(
      seen.filter((at) => at >= from && at < to),
    );
    return;
  }
  const seen = [...openMinutes(minutes, hours)].filter((at) => at >= from && at < to).sort();
  expect([...claimedMinutes(hours, zone, from, to)].sort()).toStrictEqual(seen);
}

const time = fc
  .integer({ min: 0, max: 24 * 60 - 1 })
  .map(
    (of) => `${String(Math.floor(of / 60)).padStart(2, "0")}:${String(of % 60).padStart(2, "0")}`,
  );
const range = fc
  .record({ from: time, to: fc.oneof(time, fc.constant("24:00")) })
  .filter(({ from, to }) => from !== to);
const days = fc.subarray([...weekdays], { minLength: 1 });
const hours = fc.oneof(
  fc.record({ days }),
  fc.record({ between: fc.array(range, { minLength: 1, maxLength: 3 }) }),
  fc.record({ days, between: fc.array(range, { minLength: 1, maxLength: 3 }) }),
  fc.record({ at: fc.array(time, { minLength: 1, maxLength: 3 }) }),
  fc.record({ days, at: fc.array(time, { minLength: 1, maxLength: 3 }) }),
);

describe("windows, compared with Intl minute by minute,", () => {
  it("are open exactly in their hours in any zone", () => {
    const moment = fc.integer({ min: 0, max: fiveYears / minute });
    fc.assert(
      fc.property(hours, fc.constantFrom(...zones), moment, (some, zone, later) => {
        const from = start + later * minute;
        const minutes = listMinutes(zone, from - 2 * day, from + 3 * day);
        expectAsWitnessed(some, zone, minutes, [from, from + day]);
      }),
      { numRuns: 150 },
    );
  });

  it.each(zones)(
    "are open exactly in their hours on every day of five years on which clocks change in %s",
    (zone) => {
      const aroundTheGap: Hours[] = [
        { between: [{ from: "22:00", to: "04:00" }] },
        { between: [{ from: "02:15", to: "02:45" }] },
        { between: [{ from: "00:30", to: "02:30" }] },
        { between: [{ from: "23:30", to: "00:30" }] },
        { days: ["sun"], between: [{ from: "02:30", to: "24:00" }] },
        { days: ["sat"] },
        { at: ["00:00", "01:45", "02:00", "02:30", "03:00", "23:59"] },
      ];
      for (const at of jumps(zone, start, start + fiveYears)) {
        const minutes = listMinutes(zone, at - 3 * day, at + 3 * day);
        for (const some of aroundTheGap) {
          expectAsWitnessed(some, zone, minutes, [at - day, at + day]);
        }
      }
    },
  );

  it("are tested on clock changes in the north and south, by an hour and by half an hour", () => {
    const counts = zones.map((zone) => jumps(zone, start, start + fiveYears).length);
    expect(counts.filter((count) => count >= 9).length).toBeGreaterThanOrEqual(8);
  });
});

describe("a time that clocks skip or show twice", () => {
  it.each([
    [
      "02:30",
      "Europe/Vienna",
      "2026-03-29",
      "2026-03-29T01:00:00.000Z",
      "the first moment after the gap",
    ],
    ["02:30", "Europe/Vienna", "2026-10-25", "2026-10-25T00:30:00.000Z", "the first of two"],
    [
      "02:15",
      "Australia/Lord_Howe",
      "2026-10-04",
      "2026-10-03T15:30:00.000Z",
      "half an hour is skipped",
    ],
    [
      "01:45",
      "Australia/Lord_Howe",
      "2026-04-05",
      "2026-04-04T14:45:00.000Z",
      "half an hour comes twice",
    ],
    [
      "02:50",
      "Pacific/Chatham",
      "2026-09-27",
      "2026-09-26T14:00:00.000Z",
      "45 minutes off the hour",
    ],
    [
      "00:00",
      "America/Santiago",
      "2026-09-06",
      "2026-09-06T04:00:00.000Z",
      "midnight itself is skipped",
    ],
    [
      "00:00",
      "Africa/Cairo",
      "2026-04-24",
      "2026-04-23T22:00:00.000Z",
      "midnight itself is skipped",
    ],
  ])("%s in %s on %s is %s: %s", (text, timeZone, date, expected) => {
    const around = Date.parse(`${date}T12:00:00Z`);
    const found = findOpenings({ at: [text], timeZone })
      .between(around - 2 * day, around + 2 * day)
      .map((span) => new Date(span.from).toISOString());
    expect(found).toContain(expected);
  });

  it("leaves no window on a day without any of its hours", () => {
    const hours = { between: [{ from: "02:10", to: "02:50" }], timeZone: "Europe/Vienna" };
    const noon = Date.parse("2026-03-29T10:00:00Z");
    const found = findOpenings(hours).between(noon - day, noon + day);
    expect(found.map((span) => new Date(span.from).toISOString())).toStrictEqual([
      "2026-03-30T00:10:00.000Z",
    ]);
  });

  it("ignores a date that a zone skipped as a whole", () => {
    const hours = { days: ["fri" as const], timeZone: "Pacific/Apia" };
    const found = findOpenings(hours).between(
      Date.parse("2011-12-25T00:00:00Z"),
      Date.parse("2012-01-07T00:00:00Z"),
    );
    expect(found.map((span) => new Date(span.from).toISOString())).toStrictEqual([
      "2012-01-05T10:00:00.000Z",
    ]);
  });
});

describe("windows of one policy", () => {
  const from = Date.parse("2026-06-01T00:00:00Z");

  it("that touch or overlap are merged", () => {
    const between = [
      { from: "20:00", to: "23:00" },
      { from: "22:00", to: "02:00" },
      { from: "02:00", to: "03:00" },
    ];
    expect(findOpenings({ between }).between(from + 12 * 60 * minute, from + day)).toStrictEqual([
      { from: Date.parse("2026-06-01T20:00:00Z"), to: Date.parse("2026-06-02T03:00:00Z") },
    ]);
  });

  it("never close if they cover the whole week", () => {
    const between = [
      { from: "06:00", to: "18:00" },
      { from: "18:00", to: "06:00" },
    ];
    expect(findOpenings({ between }).first(from, from)).toStrictEqual({
      from: -Infinity,
      to: Infinity,
    });
    const overMidnight = [
      { from: "00:00", to: "00:01" },
      { from: "00:03", to: "00:02" },
      { from: "00:02", to: "24:00" },
    ];
    expect(findOpenings({ between: overMidnight }).first(from, from)?.to).toBe(Infinity);
    expect(findOpenings({ days: weekdays }).first(from, from)?.to).toBe(Infinity);
    expect(findOpenings({ days: weekdays.slice(1) }).first(from, from)?.to).toBeLessThan(Infinity);
    const gap = [
      { from: "06:00", to: "18:00" },
      { from: "18:01", to: "06:00" },
    ];
    expect(findOpenings({ between: gap }).first(from, from)?.to).toBe(
      Date.parse("2026-06-01T18:00:00Z"),
    );
  });

  it("on Saturday and Sunday are merged, also across a clock change", () => {
    const hours = { days: ["sat" as const, "sun" as const], timeZone: "Europe/Vienna" };
    const found = findOpenings(hours).first(Date.parse("2026-10-24T12:00:00Z"), 0);
    expect(found).toStrictEqual({
      from: Date.parse("2026-10-23T22:00:00Z"),
      to: Date.parse("2026-10-25T23:00:00Z"),
    });
  });

  it("are the same from any start of the search", () => {
    fc.assert(
      fc.property(
        hours,
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 200 * 24 * 60 }),
        fc.integer({ min: 0, max: 20 * 24 * 60 }),
        (some, timeZone, at, before) => {
          const moment = start + at * minute;
          const openings = findOpenings({ ...some, timeZone });
          const direct = openings.first(moment, moment);
          const listed = openings
            .between(moment - before * minute, moment + 9 * day)
            .find((span) => span.to > moment && (!openings.appointments || span.from >= moment));
          expect(direct).toStrictEqual(listed);
        },
      ),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  between,
  day,
  findEarliest,
  formatDuration,
  hour,
  minute,
  parseDuration,
  parseInstant,
  plus,
  second,
  toInstant,
} from "../../shared/core/time.ts";

const moment = fc
  .date({ min: new Date("1970-01-01"), max: new Date("9000-01-01"), noInvalidDate: true })
  .map(toInstant);

describe("moments", () => {
  it("compare as texts as they do in time", () => {
    fc.assert(
      fc.property(moment, moment, (a, b) => {
        expect(a < b).toBe(Date.parse(a) < Date.parse(b));
        expect(plus(a, between(a, b))).toBe(b);
      }),
    );
  });

  it("may be moved in both directions", () => {
    expect(plus("2026-02-28T23:59:59.999Z", 1)).toBe("2026-03-01T00:00:00.000Z");
    expect(plus("2026-03-01T00:00:00.000Z", -day)).toBe("2026-02-28T00:00:00.000Z");
    expect(between("2026-03-01T00:00:00.000Z", "2026-02-28T00:00:00.000Z")).toBe(-day);
  });

  it("have an earliest one among those defined", () => {
    expect(findEarliest()).toBeUndefined();
    expect(findEarliest(undefined, undefined)).toBeUndefined();
    fc.assert(
      fc.property(fc.array(fc.option(moment, { nil: undefined }), { minLength: 1 }), (all) => {
        const times = all.filter((one) => one !== undefined).map((one) => Date.parse(one));
        const found = findEarliest(...all);
        expect(found && Date.parse(found)).toBe(times.length ? Math.min(...times) : undefined);
      }),
    );
  });
});

describe("instants that people write", () => {
  it.each([
    ["2026-12-20", "2026-12-20T00:00:00.000Z"],
    ["2026-12-20T18:00+01:00", "2026-12-20T17:00:00.000Z"],
    ["0000-01-01", "0000-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["0000-01-01T00:00:00+14:00", undefined],
    ["9999-12-31T23:59:59-12:00", undefined],
    ["2026-02-29", undefined],
    ["soon", undefined],
  ])("are read as moments that compare as texts, or not at all: %s", (text, instant) => {
    expect(parseInstant(text)).toBe(instant);
  });
});

describe("durations", () => {
  it.each([
    ["15s", 15 * second],
    ["10m", 10 * minute],
    ["4h", 4 * hour],
    ["90d", 90 * day],
    ["2w", 14 * day],
    ["250ms", 250],
    ["0s", 0],
  ])("are a whole number and a unit: %s", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    "",
    "15",
    "s",
    "1.5h",
    "-1s",
    "+1s",
    "1 h",
    " 1h",
    "1h ",
    "1h\n",
    "1H",
    "1M",
    "1y",
    "1e3s",
    "1h30m",
    "1234567890s",
    "١s",
    "1constructor",
  ])("are nothing else: %j", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it("read back as what they were written from", () => {
    const whole = fc.oneof(
      fc.nat({ max: 999_999_999 }),
      fc
        .tuple(fc.nat({ max: 10_000 }), fc.constantFrom(second, minute, hour, day))
        .map(([n, unit]) => n * unit),
    );
    fc.assert(
      fc.property(whole, (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });

  it.each([
    [90 * day, "90d"],
    [36 * hour, "36h"],
    [90 * second, "90s"],
    [hour + 1, "3600001ms"],
    [0, "0ms"],
  ])("are written in the largest unit that fits: %i as %s", (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });
});

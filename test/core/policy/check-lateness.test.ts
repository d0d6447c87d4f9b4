import { describe, expect, it } from "vitest";
import type { Policy } from "../../../shared/core/policy.ts";
import { day, hour } from "../../../shared/core/time.ts";
import { said } from "./findings.ts";

const every = 90 * day;

describe("a policy that would come late is told the first date on which it does", () => {
  it.each<[string, Partial<Policy>, string[]]>([
    [
      "windows without a head start to meet them",
      { every, days: ["sat", "sun"] },
      [
        "warning headStart: opens too seldom: every rotation comes up to 1d after the due moment; give headStart at least that [2026-09-04T00:01:00.000Z]",
      ],
    ],
    [
      "a daily appointment that the next day's age just misses",
      { every: day, at: ["02:30"] },
      [
        "warning headStart: opens too seldom: every rotation comes up to 1d after the due moment; give headStart at least that [2026-06-03T02:31:00.000Z]",
      ],
    ],
    [
      "a window that never opens before the due moment",
      { every: day, headStart: hour, days: ["sat"], between: [{ from: "02:00", to: "03:00" }] },
      [
        "warning headStart: opens too seldom: every rotation comes up to 6d after the due moment; give headStart at least that [2026-06-07T02:01:00.000Z]",
      ],
    ],
    [
      "an appointment inside a freeze",
      {
        every: 30 * day,
        headStart: 2 * day,
        at: ["02:30"],
        freeze: [{ from: "2026-12-20", to: "2027-01-06", reason: "year end", lift: ["exposure"] }],
      },
      [
        "warning freeze.0: holds back an appointment that rotations need: they come up to 15d late [2026-12-23T02:31:00.000Z]",
      ],
    ],
    [
      "a freeze that covers all appointments",
      {
        every: day,
        at: ["02:30"],
        freeze: [{ from: "2026-06-02", to: "2060-01-06", reason: "for ever", lift: [] }],
      },
      [
        "error freeze: holds back every change for ten years, first that of Tue 2026-06-02 02:30 UTC [2026-06-02T02:30:00.000Z]",
      ],
    ],
    [
      "a freeze in force for ever, in a window that is always open",
      {
        every: day,
        timeZone: "Europe/Vienna",
        freeze: [{ from: "2026-05-02", to: "2060-01-06", reason: "for ever", lift: [] }],
      },
      [
        "error freeze: holds back every change for ten years, first that of Mon 2026-06-01 14:00 Europe/Vienna [2026-06-01T12:00:00.000Z]",
      ],
    ],
    [
      "a freeze for less than two hours, in hours and minutes",
      {
        every: day,
        freeze: [
          { from: "2026-06-03T12:00:00Z", to: "2026-06-03T13:10:30Z", reason: "x", lift: [] },
        ],
      },
      [
        "warning freeze.0: holds back a window that rotations need: they come up to 69m late [2026-06-03T12:02:00.000Z]",
      ],
    ],
    [
      "an appointment on a date that there is once in years, frozen",
      {
        every: day,
        headStart: hour,
        cron: "0 12 * * *",
        freeze: [{ from: "2026-06-04", to: "2026-06-04", reason: "x", lift: [] }],
      },
      [
        "warning freeze.0: holds back an appointment that rotations need: they come up to 1d late [2026-06-04T12:01:00.000Z]",
      ],
    ],
    [
      "a head start that is long enough for most windows",
      { every: 31 * day, headStart: 2 * day, days: ["mon", "thu"] },
      [
        "warning headStart: opens too seldom: some rotations come up to 1d after the due moment; give headStart at least that [2026-08-02T00:01:00.000Z]",
      ],
    ],
    [
      "the second of two freezes",
      {
        every: day,
        freeze: [
          { from: "2026-01-01", to: "2026-01-02", reason: "past", lift: [] },
          { from: "2026-06-03", to: "2026-06-03", reason: "x", lift: [] },
        ],
      },
      [
        "warning freeze.1: holds back a window that rotations need: they come up to 12h late [2026-06-03T12:02:00.000Z]",
      ],
    ],
  ])("%s", (_, fields, expected) => {
    expect(said(fields)).toStrictEqual(expected);
  });
});

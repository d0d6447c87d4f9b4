import { describe, expect, it } from "vitest";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { check, said } from "../findings.ts";

const every = 90 * day;
const rules = { length: 40, symbols: "-_.~", exclude: "" };
const retry = { attempts: 3, every: minute, thenEvery: hour };

describe("a policy that is wrong is told so with the field and a sentence", () => {
  it.each<[string, Partial<Policy>, string[]]>([
    [
      "an unknown zone",
      { every, timeZone: "Europe/Wien" },
      ["error timeZone: Europe/Wien is no time zone; take an IANA name such as Europe/Vienna"],
    ],
    [
      "an offset for a zone",
      { every, timeZone: "+01:00" },
      ["error timeZone: +01:00 is no time zone; take an IANA name such as Europe/Vienna"],
    ],
    [
      "a date for a zone",
      { every, timeZone: "2026-01-01T00:00Z" },
      [
        "error timeZone: 2026-01-01T00:00Z is no time zone; take an IANA name such as Europe/Vienna",
      ],
    ],
    [
      "an empty window",
      {
        every,
        between: [
          { from: "01:00", to: "02:00" },
          { from: "22:00", to: "22:00" },
        ],
      },
      ["error between.1: 22:00-22:00 is an empty window; the whole day is 00:00-24:00"],
    ],
    [
      "times that are none",
      {
        every,
        between: [
          { from: "24:00", to: "02:00" },
          { from: "2:00", to: "03:00" },
          { from: "02:00", to: "24:01" },
        ],
      },
      [
        "error between.0: 24:00 is no time of day; write HH:MM, midnight as 00:00",
        "error between.1: 2:00 is no time of day; write HH:MM, midnight as 00:00",
        "error between.2: 24:01 is no time of day; write HH:MM, midnight as 24:00",
      ],
    ],
    [
      "appointments that are none",
      { every, at: ["02:00", "24:00", "02:60", "02:00:00", "x02:00"] },
      [1, 2, 3, 4].map(
        (index) =>
          `error at.${index}: ${["", "24:00", "02:60", "02:00:00", "x02:00"][index] ?? ""} is no time of day; write HH:MM, midnight as 00:00`,
      ),
    ],
    [
      "empty lists",
      { every, days: [], between: [] },
      [
        "error days: is empty, so that no window ever opens; leave it out",
        "error between: is empty, so that no window ever opens; leave it out",
      ],
    ],
    [
      "no appointments",
      { every, at: [] },
      ["error at: is empty, so that no window ever opens; leave it out"],
    ],
    [
      "ranges beside appointments",
      { every, at: ["02:00"], between: [{ from: "01:00", to: "02:00" }] },
      [
        "error between: cannot stand beside at: a change starts at an appointment and otherwise not",
      ],
    ],
    [
      "hours beside cron",
      { cron: "0 2 * * *", at: ["02:00"], days: ["sat"] },
      [
        "error days: cannot stand beside cron, which says days and times by itself",
        "error at: cannot stand beside cron, which says days and times by itself",
      ],
    ],
    [
      "six fields of cron",
      { cron: "0 0 2 * * *" },
      ["error cron: must have five fields: minute, hour, day of month, month, day of week"],
    ],
    [
      "a cron that asks for now",
      { cron: "? 2 * * *" },
      ["error cron: must not hold ?; write * for any"],
    ],
    ["a cron on no day", { cron: "0 0 31 2 *" }, ["error cron: never fires: there is no such day"]],
    [
      "a head start as long as the age",
      { every, headStart: every },
      [
        "error headStart: 90d is not shorter than every, 90d; a rotation would be due as soon as it is done",
      ],
    ],
    [
      "a head start without an age",
      { cron: "0 2 * * *", headStart: day },
      ["error headStart: needs every, which it is a part of"],
    ],
    [
      "nothing that makes a rotation due",
      { at: ["02:00"] },
      [
        "error : says nothing that makes a rotation due; say every (such as 90d), cron, afterIdle, afterExposure or manualOnly: true",
      ],
    ],
    [
      "a schedule beside manualOnly",
      {
        manualOnly: true,
        every,
        afterIdle: day,
        cron: "0 2 * * *",
        headStart: day,
        adopt: { mode: "rotate" },
      },
      [
        ...["every", "cron", "afterIdle", "headStart"].map(
          (field) => `error ${field}: has no effect with manualOnly; take one of them out`,
        ),
        "error adopt.mode: rotates by itself, which manualOnly forbids",
      ],
    ],
    [
      "a delay of nothing",
      { every, adopt: { mode: "verify", delay: day } },
      ["error adopt.delay: is only for mode rotate; verify changes nothing"],
    ],
    [
      "an expiry at the due moment",
      { every, expiry: 0 },
      ["error expiry: must leave time after the due moment, or versions expire in use"],
    ],
    [
      "retries",
      { every, retry: { attempts: 0, every: 0, thenEvery: -1, jitter: 1.1 } },
      [
        "error retry.attempts: must be 1 or more",
        "error retry.every: must be longer than nothing",
        "error retry.thenEvery: -1ms is shorter than every, 0ms, the distance of the first tries; make it as long or longer",
        "error retry.jitter: must be a part of the distance, from 0 to 1",
      ],
    ],
    [
      "negative jitter",
      { every, retry: { ...retry, jitter: -0.1 } },
      ["error retry.jitter: must be a part of the distance, from 0 to 1"],
    ],
    [
      "freezes that cannot be read",
      {
        every,
        freeze: [
          { from: "2026-02-30", to: "tomorrow", reason: "x", lift: [] },
          { from: "2026-06-01T00:00", to: "2026-06-31T00:00:00Z", reason: "x", lift: [] },
        ],
      },
      [
        "0.from: 2026-02-30",
        "0.to: tomorrow",
        "1.from: 2026-06-01T00:00",
        "1.to: 2026-06-31T00:00:00Z",
      ].map(
        (text) =>
          `error freeze.${text} is neither a day such as 2026-12-20 nor an instant such as 2026-12-20T18:00:00Z`,
      ),
    ],
    [
      "a freeze that ends before it begins",
      {
        every,
        freeze: [
          { from: "2026-12-20", to: "2026-12-20", reason: "a day", lift: [] },
          { from: "2026-12-20", to: "2026-12-19", reason: "x", lift: [] },
          { from: "2026-12-20T00:00:00Z", to: "2026-12-20T01:00+01:00", reason: "x", lift: [] },
        ],
      },
      [
        "error freeze.1.to: 2026-12-19 is not after from, 2026-12-20",
        "error freeze.2.to: 2026-12-20T01:00+01:00 is not after from, 2026-12-20T00:00:00Z",
      ],
    ],
    [
      "a freeze that ends before it begins, beside one that is lifted for other reasons",
      {
        every,
        freeze: [
          { from: "2026-12-20", to: "2026-12-31", reason: "year end", lift: ["breach"] },
          { from: "2026-12-24", to: "2026-12-22", reason: "x", lift: [] },
          { from: "2027-12-20", to: "2027-12-31", reason: "year end", lift: ["breach"] },
        ],
      },
      ["error freeze.1.to: 2026-12-22 is not after from, 2026-12-24"],
    ],
    [
      "freezes that contradict each other",
      {
        every,
        timeZone: "Europe/Vienna",
        freeze: [
          {
            from: "2026-12-20",
            to: "2027-01-06",
            reason: "year end",
            lift: ["exposure", "breach"],
          },
          { from: "2027-01-06", to: "2027-01-31", reason: "move", lift: [] },
        ],
      },
      [
        'error freeze.1: overlaps the freeze "year end", which is lifted for breach and exposure, and is itself lifted for no reason; lift both for the same reasons, or end one before the other begins [2027-01-05T23:00:00.000Z]',
      ],
    ],
  ])("%s", (_, fields, expected) => {
    expect(said(fields)).toStrictEqual(expected);
  });

  it.each([
    ["60 2 * * *", "minute is 60; write 0 to 59"],
    ["0 24 * * *", "hour is 24; write 0 to 23"],
    ["0 2 0 * *", "day of month is 0; write 1 to 31"],
    ["0 2 5-1 * *", "day of month is 5-1; write 1 to 31"],
    [" 0  2 * 13 8 ", "month is 13; write 1 to 12 or jan to dec"],
    ["0 2 * * L", "day of week is L; write 0 to 7 or sun to sat"],
  ])("of %s by the first field of cron that cannot be read, as it is written", (cron, where) => {
    expect(said({ cron })).toStrictEqual([
      `error cron: cannot be read: its ${where}, a range (1-5), a list (1,3), a step (*/2) or *`,
    ]);
  });

  it("with every mistake at once", () => {
    const found = check({
      timeZone: "Nowhere",
      headStart: day,
      password: { ...rules, length: 16 },
    });
    expect(found.map(({ path }) => path.join("."))).toStrictEqual([
      "timeZone",
      "",
      "headStart",
      "password",
    ]);
  });
});

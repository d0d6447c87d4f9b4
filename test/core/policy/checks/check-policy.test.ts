import { describe, expect, it } from "vitest";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { check, said } from "../findings.ts";

const every = 90 * day;
const rules = { length: 40, symbols: "-_.~", exclude: "" };
const retry = { attempts: 3, every: minute, thenEvery: hour };

describe("a wrong policy is reported with the field and a message:", () => {
  it.each<[string, Partial<Policy>, string[]]>([
    [
      "an unknown zone",
      { every, timeZone: "Europe/Wien" },
      ["error timeZone: must be an IANA time zone such as Europe/Vienna, but is Europe/Wien"],
    ],
    [
      "an offset instead of a zone",
      { every, timeZone: "+01:00" },
      ["error timeZone: must be an IANA time zone such as Europe/Vienna, but is +01:00"],
    ],
    [
      "a date instead of a zone",
      { every, timeZone: "2026-01-01T00:00Z" },
      ["error timeZone: must be an IANA time zone such as Europe/Vienna, but is 2026-01-01T00:00Z"],
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
      "times that do not exist",
      {
        every,
        between: [
          { from: "24:00", to: "02:00" },
          { from: "2:00", to: "03:00" },
          { from: "02:00", to: "24:01" },
        ],
      },
      [
        "error between.0: must be a time of day (HH:MM, midnight is 00:00), but is 24:00",
        "error between.1: must be a time of day (HH:MM, midnight is 00:00), but is 2:00",
        "error between.2: must be a time of day (HH:MM, midnight is 24:00), but is 24:01",
      ],
    ],
    [
      "appointments that do not exist",
      { every, at: ["02:00", "24:00", "02:60", "02:00:00", "x02:00"] },
      [1, 2, 3, 4].map(
        (index) =>
          `error at.${index}: must be a time of day (HH:MM, midnight is 00:00), but is ${["", "24:00", "02:60", "02:00:00", "x02:00"][index] ?? ""}`,
      ),
    ],
    [
      "empty lists",
      { every, days: [], between: [] },
      [
        "error days: is empty, so no window ever opens; remove it",
        "error between: is empty, so no window ever opens; remove it",
      ],
    ],
    [
      "no appointments",
      { every, at: [] },
      ["error at: is empty, so no window ever opens; remove it"],
    ],
    [
      "ranges beside appointments",
      { every, at: ["02:00"], between: [{ from: "01:00", to: "02:00" }] },
      ["error between: cannot be combined with at, which already sets the times of changes"],
    ],
    [
      "hours beside cron",
      { cron: "0 2 * * *", at: ["02:00"], days: ["sat"] },
      [
        "error days: cannot be combined with cron, which already sets days and times",
        "error at: cannot be combined with cron, which already sets days and times",
      ],
    ],
    [
      "six fields of cron",
      { cron: "0 0 2 * * *" },
      ["error cron: must have five fields: minute, hour, day of month, month, day of week"],
    ],
    [
      "a cron for the present moment",
      { cron: "? 2 * * *" },
      ["error cron: must not contain ?; use * for any value"],
    ],
    [
      "a cron on no day",
      { cron: "0 0 31 2 *" },
      ["error cron: never fires, because such a day does not exist"],
    ],
    [
      "a head start as long as the age",
      { every, headStart: every },
      [
        "error headStart: must be shorter than every (90d), but is 90d; otherwise the next rotation is due at once",
      ],
    ],
    [
      "a head start without an age",
      { cron: "0 2 * * *", headStart: day },
      ["error headStart: needs every, because headStart is a part of that time"],
    ],
    [
      "nothing that makes a rotation due",
      { at: ["02:00"] },
      [
        "error : never makes a rotation due; set every (such as 90d), cron, afterIdle, afterExposure or manualOnly: true",
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
          (field) => `error ${field}: has no effect with manualOnly; remove one of the two`,
        ),
        "error adopt.mode: cannot be rotate with manualOnly, because it would start a rotation by itself",
      ],
    ],
    [
      "a delay of nothing",
      { every, adopt: { mode: "verify", delay: day } },
      ["error adopt.delay: applies to mode rotate only, because verify changes nothing; remove it"],
    ],
    [
      "an expiry at the due moment",
      { every, expiry: 0 },
      ["error expiry: must be longer than 0, or versions expire while they are in use"],
    ],
    [
      "retries",
      { every, retry: { attempts: 0, every: 0, thenEvery: -1, jitter: 1.1 } },
      [
        "error retry.attempts: must be 1 or more",
        "error retry.every: must be longer than 0",
        "error retry.thenEvery: must not be shorter than every (0ms), but is -1ms",
        "error retry.jitter: must be a fraction of the interval, from 0 to 1",
      ],
    ],
    [
      "negative jitter",
      { every, retry: { ...retry, jitter: -0.1 } },
      ["error retry.jitter: must be a fraction of the interval, from 0 to 1"],
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
        ["0.from", "2026-02-30"],
        ["0.to", "tomorrow"],
        ["1.from", "2026-06-01T00:00"],
        ["1.to", "2026-06-31T00:00:00Z"],
      ].map(
        ([edge, text]) =>
          `error freeze.${edge}: must be a day such as 2026-12-20 or an instant such as 2026-12-20T18:00:00Z, but is ${text}`,
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
        "error freeze.1.to: must be after from (2026-12-20), but is 2026-12-19",
        "error freeze.2.to: must be after from (2026-12-20T00:00:00Z), but is 2026-12-20T01:00+01:00",
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
      ["error freeze.1.to: must be after from (2026-12-24), but is 2026-12-22"],
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
        'error freeze.1: is lifted for no reason, but overlaps the freeze "year end", which is lifted for breach and exposure; lift both for the same reasons, or end one before the other begins [2027-01-05T23:00:00.000Z]',
      ],
    ],
  ])("%s", (_, fields, expected) => {
    expect(said(fields)).toStrictEqual(expected);
  });

  it.each([
    ["60 2 * * *", "minute: 60; use 0 to 59"],
    ["0 24 * * *", "hour: 24; use 0 to 23"],
    ["0 2 0 * *", "day of month: 0; use 1 to 31"],
    ["0 2 5-1 * *", "day of month: 5-1; use 1 to 31"],
    [" 0  2 * 13 8 ", "month: 13; use 1 to 12 or jan to dec"],
    ["0 2 * * L", "day of week: L; use 0 to 7 or sun to sat"],
  ])("the first invalid field of the cron expression %s, as written", (cron, where) => {
    expect(said({ cron })).toStrictEqual([
      `error cron: has an invalid ${where}, a range (1-5), a list (1,3), a step (*/2) or *`,
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

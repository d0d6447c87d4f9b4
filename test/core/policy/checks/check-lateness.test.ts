import { describe, expect, it } from "vitest";
import { checkPolicy } from "../../../../shared/core/policy/checks/check-policy.ts";
import type { Freeze, Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute, second } from "../../../../shared/core/time.ts";
import { said } from "../findings.ts";
import { policyWith } from "../sample.ts";

const every = 90 * day;

/** Makes a freeze that no reason lifts. */
const frozen = (from: string, to: string, lift: Freeze["lift"] = []): Freeze => ({
  from,
  to,
  reason: "x",
  lift,
});
const yearEnd = frozen("2026-12-20", "2027-01-06", ["exposure"]);

describe("a warning about rare windows, with the first affected date,", () => {
  it.each<[string, Partial<Policy>, string]>([
    [
      "reports windows without a head start",
      { every, days: ["sat", "sun"] },
      "warning headStart: is too short: every rotation starts up to 1d after the due moment (for example for a secret changed on Sat 2026-06-06 00:01 UTC); use headStart: 5d [2026-09-04T00:01:00.000Z]",
    ],
    [
      "reports a daily appointment that the age of the next day just misses",
      { every: day, at: ["02:30"] },
      "warning headStart: is too short: every rotation starts up to 1d after the due moment (for example for a secret changed on Tue 2026-06-02 02:31 UTC); use headStart: 1h [2026-06-03T02:31:00.000Z]",
    ],
    [
      "reports the same in a zone with clock changes",
      { every: day, at: ["02:30"], timeZone: "Europe/Vienna" },
      "warning headStart: is too short: some rotations start up to 25h after the due moment (for example for a secret changed on Tue 2026-06-02 02:31 Europe/Vienna); use headStart: 1h [2026-06-03T00:31:00.000Z]",
    ],
    [
      "reports a window that never opens before the due moment",
      { every: day, headStart: hour, days: ["sat"], between: [{ from: "02:00", to: "03:00" }] },
      "warning every: is too short: every rotation starts up to 6d after the due moment (for example for a secret changed on Sat 2026-06-06 02:01 UTC); no headStart shorter than every is enough; use every: 7d with headStart: 1d [2026-06-07T02:01:00.000Z]",
    ],
    [
      "reports an appointment once a year",
      { every, cron: "0 2 1 1 *" },
      "warning every: is too short: every rotation starts up to 276d after the due moment (for example for a secret changed on Fri 2027-01-01 02:01 UTC); no headStart shorter than every is enough; use every: 366d with headStart: 2d [2027-04-01T02:01:00.000Z]",
    ],
    [
      "reports an appointment on February 29",
      { every, cron: "0 2 29 2 *" },
      "warning every: is too short: every rotation starts up to 1371d after the due moment (for example for a secret changed on Tue 2028-02-29 02:01 UTC); no headStart shorter than every is enough; use every: 1461d with headStart: 1d [2028-05-29T02:01:00.000Z]",
    ],
    [
      "reports a head start that is long enough for most windows only",
      { every: 31 * day, headStart: 2 * day, days: ["mon", "thu"] },
      "warning headStart: is too short: some rotations start up to 1d after the due moment (for example for a secret changed on Thu 2026-06-11 00:01 UTC); use headStart: 3d [2026-07-12T00:01:00.000Z]",
    ],
    [
      "reports nights through which a daily rotation drifts by a minute a day",
      { every: day, between: [{ from: "22:00", to: "04:00" }] },
      "warning headStart: is too short: some rotations start up to 18h after the due moment (for example for a secret changed on Wed 2027-01-27 04:00 UTC); use headStart: 1h [2027-01-28T04:00:00.000Z]",
    ],
    [
      "reports a rotation every ten seconds that can start only at night",
      { every: 10 * second, between: [{ from: "22:00", to: "04:00" }] },
      "warning every: is too short: some rotations start up to 18h after the due moment (for example for a secret changed on Tue 2026-06-02 03:59 UTC); no headStart shorter than every is enough; use every: 19h with headStart: 14h [2026-06-02T04:00:00.000Z]",
    ],
    [
      "reports a spread that makes only its last targets late",
      { every, spread: 2 * hour },
      "warning headStart: is too short: some rotations start up to 2h after the due moment (for example for a secret changed on Mon 2026-06-01 12:01 UTC); use headStart: 1d [2026-08-30T12:01:00.000Z]",
    ],
    [
      "reports a spread that moves its last targets out of the window",
      { every: 7 * day, between: [{ from: "22:00", to: "23:30" }], spread: hour },
      "warning headStart: is too short: some rotations start up to 1d after the due moment (for example for a secret changed on Mon 2026-07-20 23:30 UTC); use headStart: 1d [2026-07-27T23:30:59.861Z]",
    ],
  ])("%s", (_, fields, expected) => {
    expect(said(fields)).toStrictEqual([expected]);
  });

  it("is absent for delays up to the hour by which clocks change", () => {
    const daily = { every: day, at: ["02:30"] };
    expect(said({ ...daily, headStart: hour, timeZone: "Europe/Vienna" })).toStrictEqual([]);
    expect(said({ ...daily, headStart: minute })).toStrictEqual([]);
    expect(said({ ...daily, headStart: minute - 1 })).toHaveLength(1);
    expect(said({ every, spread: hour })).toStrictEqual([]);
    expect(said({ every, spread: hour + 10 * second })).toHaveLength(1);
  });

  it("tolerates less than an hour if the age is shorter", () => {
    const short = { every: 10 * minute, headStart: 9 * minute };
    const closed = (to: string) => said({ ...short, between: [{ from: "00:00", to }] });
    expect(closed("23:50")).toStrictEqual([]);
    expect(closed("23:30")).toHaveLength(1);
  });
});

describe("a warning about freezes that delay rotations, with the first date,", () => {
  it.each<[string, Partial<Policy>, string[]]>([
    [
      "reports appointments in a freeze",
      { every: 30 * day, headStart: 2 * day, at: ["02:30"], freeze: [yearEnd] },
      [
        "warning freeze.0: delays rotations by up to 17d, because it blocks an appointment that they need (for example for a secret changed on Sat 2026-11-21 02:31 UTC); use headStart: 19d [2026-12-21T02:31:00.000Z]",
      ],
    ],
    [
      "reports appointments of cron without every",
      { cron: "0 12 * * *", freeze: [yearEnd] },
      [
        "warning freeze.0: delays rotations by up to 18d, because it blocks an appointment that they need [2026-12-20T12:00:00.000Z]",
      ],
    ],
    [
      "reports a freeze months away for a daily rotation",
      { every: day, headStart: hour, at: ["02:30"], freeze: [yearEnd] },
      [
        "warning freeze.0: delays rotations by up to 18d, because it blocks an appointment that they need (for example for a secret changed on Sat 2026-12-19 02:31 UTC) [2026-12-20T02:31:00.000Z]",
      ],
    ],
    [
      "reports a freeze years away",
      { every, freeze: [frozen("2031-12-20", "2032-01-06")] },
      [
        "warning freeze.0: delays rotations by up to 18d, because it blocks a window that they need (for example for a secret changed on Sun 2031-09-21 00:00 UTC); use headStart: 18d [2031-12-20T00:00:00.000Z]",
      ],
    ],
    [
      "reports a freeze that affects only secrets that were changed before today",
      { every, freeze: [frozen("2026-06-20", "2026-06-25")] },
      [
        "warning freeze.0: delays rotations by up to 6d, because it blocks a window that they need (for example for a secret changed on Sun 2026-03-22 00:00 UTC); use headStart: 6d [2026-06-20T00:00:00.000Z]",
      ],
    ],
    [
      "reports a freeze of less than two hours in minutes",
      { every: day, freeze: [frozen("2026-06-03T12:00:00Z", "2026-06-03T13:10:30Z")] },
      [
        "warning freeze.0: delays rotations by up to 71m, because it blocks a window that they need (for example for a secret changed on Tue 2026-06-02 12:00 UTC); use headStart: 1h [2026-06-03T12:00:00.000Z]",
      ],
    ],
    [
      "reports the rest of a freeze that is in force",
      { every, freeze: [frozen("2026-05-01", "2026-06-10")] },
      [
        "warning freeze.0: delays rotations by up to 10d, because it blocks a window that they need (for example for a secret changed on Tue 2026-03-03 12:00 UTC); use headStart: 41d [2026-06-01T12:00:00.000Z]",
      ],
    ],
    [
      "reports the second of two freezes",
      {
        every: day,
        freeze: [frozen("2026-01-01", "2026-01-02"), frozen("2026-06-03", "2026-06-03")],
      },
      [
        "warning freeze.1: delays rotations by up to 1d, because it blocks a window that they need (for example for a secret changed on Tue 2026-06-02 00:00 UTC); use headStart: 23h [2026-06-03T00:00:00.000Z]",
      ],
    ],
    [
      "reports each of two freezes",
      { every, freeze: [yearEnd, frozen("2027-07-01", "2027-07-02")] },
      [
        "warning freeze.0: delays rotations by up to 18d, because it blocks a window that they need (for example for a secret changed on Mon 2026-09-21 00:00 UTC); use headStart: 18d [2026-12-20T00:00:00.000Z]",
        "warning freeze.1: delays rotations by up to 2d, because it blocks a window that they need (for example for a secret changed on Fri 2027-04-02 00:00 UTC); use headStart: 18d [2027-07-01T00:00:00.000Z]",
      ],
    ],
    [
      "reports rare windows together with a freeze that is longer than the age",
      {
        every: 3 * day,
        days: ["mon", "thu"],
        freeze: [yearEnd],
      },
      [
        "warning headStart: is too short: some rotations start up to 1d after the due moment (for example for a secret changed on Thu 2026-06-04 00:01 UTC); use headStart: 71h (freezes still delay some rotations) [2026-06-07T00:01:00.000Z]",
        "warning freeze.0: delays rotations by up to 18d, because it blocks a window that they need (for example for a secret changed on Thu 2026-12-17 23:00 UTC) [2026-12-20T23:00:00.000Z]",
      ],
    ],
  ])("%s", (_, fields, expected) => {
    expect(said(fields)).toStrictEqual(expected);
  });

  it.each<[string, Partial<Policy>]>([
    ["is over", { every, freeze: [frozen("2026-05-01", "2026-05-31")] }],
    ["is avoided by the head start", { every, headStart: 18 * day, freeze: [yearEnd] }],
    [
      "lies between appointments",
      { cron: "0 2 1 * *", freeze: [frozen("2026-12-02", "2026-12-31")] },
    ],
    ["affects no schedule", { manualOnly: true, freeze: [yearEnd] }],
    ["only exposures meet", { afterExposure: hour, freeze: [yearEnd] }],
    [
      "is no longer than the tolerance",
      { every, freeze: [frozen("2026-12-02T12:00:00Z", "2026-12-02T13:00:00Z")] },
    ],
  ])("is absent if a freeze %s", (_, fields) => {
    expect(said(fields)).toStrictEqual([]);
  });

  it("is an error if no rotation is possible for ten years", () => {
    const ever = (from: string) => [frozen(from, "2060-01-06")];
    expect(said({ every: day, at: ["02:30"], freeze: ever("2026-06-02") })).toStrictEqual([
      "error freeze: blocks every change for ten years, the first one on Tue 2026-06-02 02:30 UTC [2026-06-02T02:30:00.000Z]",
    ]);
    const vienna = { timeZone: "Europe/Vienna", freeze: ever("2026-05-02") };
    expect(said({ every: day, ...vienna })).toStrictEqual([
      "error freeze: blocks every change for ten years, the first one on Mon 2026-06-01 14:00 Europe/Vienna [2026-06-01T12:00:00.000Z]",
    ]);
    expect(said({ every: 30 * day, freeze: ever("2026-12-20") })).toStrictEqual([
      "error freeze.0: blocks every change for ten years, the first one on Sun 2026-12-20 00:00 UTC [2026-12-20T00:00:00.000Z]",
    ]);
  });
});

it("is the same for equal policies, and has another date at another time", () => {
  const policy = policyWith({ every, days: ["sat"] });
  const at = (from: string) => checkPolicy(policy, from)[0]?.firstAt;
  expect(at("2026-06-01T00:00:00.000Z")).toBe(at("2026-06-01T00:00:00.000Z"));
  expect(at("2026-07-01T00:00:00.000Z")).not.toBe(at("2026-06-01T00:00:00.000Z"));
});

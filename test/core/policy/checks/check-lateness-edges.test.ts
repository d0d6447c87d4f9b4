import { describe, expect, it } from "vitest";
import { checkLateness } from "../../../../shared/core/policy/checks/check-lateness.ts";
import { tryFreezes, tryWindows } from "../../../../shared/core/policy/checks/trials.ts";
import { chooseUnit, formatAdvice, roundUp } from "../../../../shared/core/policy/due/advice.ts";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { said } from "../findings.ts";
import { policyWith } from "../sample.ts";

const from = Date.parse("2026-06-01T12:00:00.000Z");
const nights = [{ from: "22:00", to: "04:00" }];

describe("the check of lateness", () => {
  it("is cached by hours and moment until the cache is full", () => {
    const policy = policyWith({ every: 90 * day, days: ["sat"] });
    const found = checkLateness(policy, from);
    const same = () => checkLateness({ ...policy, name: "other" }, from);
    expect(same()).toBe(found);
    expect(checkLateness(policy, from + 1)).not.toBe(found);
    for (let index = 0; index < 400; index++)
      checkLateness(policyWith({ every: day }), from + index);
    expect(same()).toBe(found);
    for (let index = 0; index < 1000; index++) {
      checkLateness(policyWith({ every: 2 * day }), from + index);
    }
    expect(same()).not.toBe(found);
    expect(same()).toStrictEqual(found);
  });

  it("reports that no window ever opens", () => {
    const never = checkLateness(policyWith({ every: day, days: [] }), from);
    expect(never).toStrictEqual([
      { severity: "error", path: [], message: "has no window that opens in the next ten years" },
    ]);
  });

  it("advises a longer age once, not again at the freeze", () => {
    const freeze = [{ from: "2026-07-07", to: "2026-07-07", reason: "x", lift: [] }];
    const found = said({ every: day, headStart: hour, cron: "0 12 * * 1,2,3,6", freeze });
    expect(found).toHaveLength(2);
    expect(found[0]).toMatch(/^warning every: .*; use every: \d+[hd] with headStart: \d+h \[/);
    expect(found[1]).toMatch(/^warning freeze\.0: [^;]* UTC\) \[2026-07-07T/);
  });
});

describe("advice", () => {
  it("is a longer age if one more unit is not enough", () => {
    expect(said({ every: hour, days: ["sat"] })).toStrictEqual([
      expect.stringContaining(
        "; no headStart shorter than every is enough; use every: 7d with headStart: 1d [",
      ),
    ]);
  });

  it("is never a head start of 0", () => {
    expect(said({ every: minute, between: nights }).join()).toMatch(
      /; use every: \d+h with headStart: [1-9]\d*[hm] \[/,
    );
  });

  it("is formatted in words", () => {
    const headStart = 5 * day;
    expect(formatAdvice(undefined)).toBe("no headStart is enough");
    expect(formatAdvice({ headStart, apartFromFreezes: true })).toBe(
      "use headStart: 5d (freezes still delay some rotations)",
    );
    expect(formatAdvice({ every: 7 * day, headStart, apartFromFreezes: false })).toBe(
      "no headStart shorter than every is enough; use every: 7d with headStart: 5d",
    );
  });

  it("uses the units that people use, rounded up", () => {
    const units = [2 * hour, 2 * hour + 1, 4 * day, 4 * day + 1].map(chooseUnit);
    expect(units).toStrictEqual([minute, hour, hour, day]);
    expect([roundUp(1, day), roundUp(day, day), roundUp(day + 1, day)]).toStrictEqual([
      day,
      day,
      2 * day,
    ]);
  });
});

describe("a trial", () => {
  const tried = (fields: Partial<Policy>) => [...tryWindows(policyWith(fields), from)];

  it("simulates targets in four phases of the cycle, each for three years", () => {
    const courses = tried({ every: 90 * day, at: ["02:30"] });
    const starts = courses.filter(({ changedAt }) => changedAt < from + 90 * day);
    expect(starts.map(({ changedAt }) => new Date(changedAt).toISOString())).toStrictEqual([
      "2026-06-02T02:31:00.000Z",
      "2026-06-24T02:31:00.000Z",
      "2026-07-17T02:31:00.000Z",
      "2026-08-08T02:31:00.000Z",
    ]);
    const last = Math.max(...courses.map(({ changedAt }) => changedAt));
    expect(last).toBeGreaterThan(from + 3 * 360 * day);
    expect(last).toBeLessThan(from + 3 * 400 * day);
  });

  it("ends after four hundred rotations, or at once if windows never close", () => {
    expect(tried({ every: hour, headStart: minute, at: ["02:30", "03:30"] })).toHaveLength(400);
    expect(tried({ every: 8 * day })).toHaveLength(4);
    expect(tried({ every: 8 * day, spread: hour })).toHaveLength(8);
  });

  it("has no rotations if no age makes them due", () => {
    expect(tried({ cron: "0 2 * * *" })).toStrictEqual([]);
    expect(tried({ every: day, manualOnly: true })).toStrictEqual([]);
    const freeze = [{ from: "2026-07-04", to: "2026-07-04", reason: "x", lift: [] }];
    const held = (fields: Partial<Policy>) => [
      ...tryFreezes(policyWith({ ...fields, freeze }), from),
    ];
    expect(held({ every: day, manualOnly: true })).toStrictEqual([]);
    expect(held({ every: day })).not.toStrictEqual([]);
    expect(held({ afterExposure: day })).toStrictEqual([]);
  });

  it("samples two dozen due moments of a freeze from now on", () => {
    const held = (fields: Partial<Policy>, begin: string, end: string) => {
      const freeze = [{ from: begin, to: end, reason: "x", lift: [] }];
      return [...tryFreezes(policyWith({ every: 90 * day, ...fields, freeze }), from)];
    };
    const [begin, end] = ["2026-12-20T00:00:00Z", "2026-12-30T00:00:00Z"];
    const all = held({}, begin, end);
    const expected = Array.from(
      { length: 24 },
      (_, index) => Date.parse(begin) + index * 10 * hour,
    );
    expect(all.map(({ due }) => due)).toStrictEqual(expected);
    expect(all.map(({ by }) => by)).toStrictEqual(expected.map((due) => Date.parse(end) - due));
    expect(all.map(({ changedAt }) => changedAt)).toStrictEqual(
      expected.map((due) => due - 90 * day),
    );
    expect(held({ spread: hour }, begin, end)).toHaveLength(48);
    const left = held({ headStart: day }, "2026-05-01T00:00:00Z", "2026-06-05T12:00:00Z");
    expect(left[0]?.due).toBe(from);
    expect(held({}, "2026-05-01T00:00:00Z", "2026-06-01T12:00:00Z")).toStrictEqual([]);
    expect(held({ days: ["sat"] }, "2026-12-20T00:00:00Z", "2026-12-26T00:00:00Z")).toStrictEqual(
      [],
    );
  });

  it("does not blame a freeze for a delay that windows cause", () => {
    const freeze = [{ from: "2026-12-19", to: "2027-01-08", reason: "x", lift: [] }];
    const policy = policyWith({ every: 90 * day, headStart: hour, days: ["sat"], freeze });
    const held = [...tryFreezes(policy, from)];
    expect(held).not.toStrictEqual([]);
    // From an hour before a Saturday to an hour after it. Without the freeze, a window would be open on time.
    for (const { due } of held) {
      expect([new Date(due - hour).getUTCDay(), new Date(due + hour).getUTCDay()]).toContain(6);
    }
  });
});

import { describe, expect, it, vi } from "vitest";
import type { Freeze } from "../../../../shared/core/policy/policy.ts";
import { findFreeze, listFrozenSpans } from "../../../../shared/core/policy/windows/freezes.ts";
import { findOpenings } from "../../../../shared/core/policy/windows/openings.ts";
import { day, hour, minute, plus } from "../../../../shared/core/time.ts";

const monday = "2026-06-01T00:00:00.000Z";
const at = Date.parse(monday);
const tenYears = 10 * 366 * day;

function freeze(from: number, to: number, more: Partial<Freeze> = {}): Freeze {
  return { from: plus(monday, from), to: plus(monday, to), reason: "f", lift: [], ...more };
}

describe("distant openings", () => {
  it("are found in the next ten years, including their last moment", () => {
    const after = (length: number) => findOpenings({ freeze: [freeze(-1, length)] }).first(at, at);
    expect(after(tenYears)).toStrictEqual({ from: at + tenYears, to: Infinity });
    expect(after(tenYears + 1)).toBeUndefined();
  });

  it("are found equally far if windows open and close", () => {
    const nights = [{ from: "22:00", to: "04:00" }];
    for (let days = 3_590; days < 3_660; days += 3) {
      const hours = { between: nights, freeze: [freeze(0, days * day)] };
      expect(findOpenings(hours).first(at, at)?.from).toBe(at + days * day);
    }
    const later = { between: nights, freeze: [freeze(0, 3_700 * day)] };
    expect(findOpenings(later).first(at, at)).toBeUndefined();
  });

  it("do not exist if hours are invalid or empty, or if a date never comes", () => {
    const none = [
      { between: [{ from: "soon", to: "04:00" }] },
      { between: [{ from: "22:00", to: "late" }] },
      { between: [{ from: "22:00", to: "22:00" }] },
      { at: ["noon"] },
      { cron: "0 0 31 2 *" },
    ];
    for (const hours of none) {
      expect(findOpenings(hours).first(at, at)).toBeUndefined();
      expect(findOpenings(hours).between(at - 9 * day, at + 9 * day)).toStrictEqual([]);
    }
  });
});

describe("openings between two moments", () => {
  const open = { from: at + 2 * hour, to: at + 4 * hour };

  it.each([
    ["up to the first moment", -hour, 2 * hour, false],
    ["from just before it closes", 4 * hour - 1, 9 * hour, true],
    ["up to just after it opens", -hour, 2 * hour + 1, true],
    ["from the moment at which it closes", 4 * hour, 9 * hour, false],
  ])("include a window or not if the search is %s", (_, from, to, holds) => {
    const found = holds ? [open] : [];
    const windows = findOpenings({ between: [{ from: "02:00", to: "04:00" }] });
    expect(windows.between(at + from, at + to)).toStrictEqual(found);
    const outside = findOpenings({
      freeze: [freeze(-9 * day, 2 * hour), freeze(4 * hour, 9 * day)],
    });
    expect(outside.between(at + from, at + to)).toStrictEqual(found);
  });

  it("include the fifteen minutes after an appointment, plus the spread", () => {
    const length = (spread: number) =>
      findOpenings({ at: ["02:00"], spread })
        .between(at, at + day)
        .map(({ from, to }) => to - from);
    expect(length(0)).toStrictEqual([15 * minute]);
    expect(length(hour)).toStrictEqual([75 * minute]);
  });
});

describe("the opening that is not over", () => {
  it("is the one after a freeze that begins now", () => {
    const openings = findOpenings({ freeze: [freeze(0, day)] });
    expect(openings.first(at, at)?.from).toBe(at + day);
    expect(openings.first(at - 1, at - 1)).toStrictEqual({ from: -Infinity, to: at });
    expect(openings.first(at, at + day)?.from).toBe(at + day);
  });

  it("is an appointment at this moment, or an earlier one that still lasts", () => {
    const openings = findOpenings({ at: ["02:00"] });
    const two = at + 2 * hour;
    expect(openings.first(two, two)?.from).toBe(two);
    expect(openings.first(two + 1, two + 1)?.from).toBe(two + day);
    expect(openings.first(two, two + 15 * minute - 1)?.from).toBe(two);
    expect(openings.first(two, two + 15 * minute)?.from).toBe(two + day);
  });

  it("can have begun days before, and is cut by a freeze", () => {
    const weekend = {
      days: ["sat" as const, "sun" as const],
      freeze: [freeze(5.5 * day, 6 * day)],
    };
    const openings = findOpenings(weekend);
    expect(openings.first(at, at + 5 * day)).toStrictEqual({
      from: at + 5 * day,
      to: at + 5.5 * day,
    });
    expect(openings.first(at, at + 5.5 * day)).toStrictEqual({
      from: at + 6 * day,
      to: at + 7 * day,
    });
  });

  it("is not an appointment that begins in a freeze, even if the freeze ends first", () => {
    const openings = findOpenings({
      at: ["02:00", "03:00"],
      spread: hour,
      freeze: [freeze(90 * minute, 130 * minute), freeze(185 * minute, day)],
    });
    expect(openings.first(at, at)).toStrictEqual({ from: at + 3 * hour, to: at + 185 * minute });
  });
});

describe("an opening of several days", () => {
  it.each([
    ["a weekend", ["sat", "sun"], 2],
    ["all week but Wednesday", ["thu", "fri", "sat", "sun", "mon", "tue"], 6],
  ] as const)("is not split, wherever %s falls", (_, days, length) => {
    const lengths = findOpenings({ days })
      .between(at, at + 1_000 * day)
      .map(({ from, to }) => (to - from) / day);
    expect(lengths.length).toBeGreaterThan(140);
    expect(new Set(lengths)).toStrictEqual(new Set([length]));
  });
});

describe("the cache of openings", () => {
  const nights = () => ({ between: [{ from: "21:59", to: "04:01" }] });
  const others = (count: number, find: typeof findOpenings) => {
    for (let index = 0; index < count; index++) {
      find({ cron: `${index % 60} ${Math.floor(index / 60)} 7 7 *` });
    }
  };

  it("is shared by all policies with the same hours", () => {
    const found = findOpenings(nights());
    expect(findOpenings({ days: ["sat"] })).not.toBe(found);
    expect(findOpenings(nights())).toBe(found);
    expect(findOpenings({ ...nights(), timeZone: "UTC" })).toBe(found);
    expect(findOpenings({ ...nights(), timeZone: "Asia/Tokyo" })).not.toBe(found);
    expect(findOpenings(nights(), { lift: "breach" })).not.toBe(found);
    expect(findOpenings(nights(), { anyTime: true })).not.toBe(found);
  });

  it("keeps openings for a policy object, but only a limited number for equal hours", async () => {
    // Other test files share this module and may have filled its cache.
    vi.resetModules();
    const fresh = await import("../../../../shared/core/policy/windows/openings.ts");
    const mine = nights();
    const found = fresh.findOpenings(mine);
    others(500, fresh.findOpenings);
    expect(fresh.findOpenings(nights())).toBe(found);
    others(1_001, fresh.findOpenings);
    expect(fresh.findOpenings(mine)).toBe(found);
    expect(fresh.findOpenings(nights())).not.toBe(found);
  });
});

describe("the freeze in force", () => {
  const freezes = [
    freeze(9 * day, 10 * day, { reason: "later" }),
    freeze(0, day, { reason: "lifted", lift: ["breach", "operator"] }),
    freeze(0, 2 * day, { reason: "now", lift: ["exposure"] }),
  ];
  const reasonAt = (later: number, lift?: "breach" | "exposure" | "operator") =>
    findFreeze(freezes, "UTC", at + later, lift)?.reason;

  it("is the first freeze in the list that has begun and is not over", () => {
    expect(reasonAt(-1)).toBeUndefined();
    expect(reasonAt(0)).toBe("lifted");
    expect(reasonAt(day)).toBe("now");
    expect(reasonAt(2 * day)).toBeUndefined();
    expect(reasonAt(9 * day)).toBe("later");
  });

  it("is not lifted for the given reason", () => {
    expect(reasonAt(0, "breach")).toBe("now");
    expect(reasonAt(0, "operator")).toBe("now");
    expect(reasonAt(day, "exposure")).toBeUndefined();
  });

  it("is never one that is invalid or ends before it begins", () => {
    const wrong = [freeze(day, 0), freeze(0, 0), freeze(0, day, { to: "soon" })];
    expect(findFreeze(wrong, "UTC", at)).toBeUndefined();
    expect(listFrozenSpans(wrong, "UTC", undefined)).toStrictEqual([]);
  });
});

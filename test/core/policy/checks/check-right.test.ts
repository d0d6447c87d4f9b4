import { describe, expect, it } from "vitest";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { said } from "../findings.ts";

const every = 90 * day;
const retry = { attempts: 3, every: minute, thenEvery: hour };

describe("a correct policy", () => {
  it.each<[string, Partial<Policy>]>([
    ["an age", { every }],
    ["an age that just exceeds its head start", { every, headStart: every - 1 }],
    ["only a person", { manualOnly: true }],
    ["a person and exposures", { manualOnly: true, afterExposure: hour, at: ["02:00"] }],
    ["exposures", { afterExposure: hour, days: ["sat"] }],
    ["idleness", { afterIdle: day }],
    ["cron", { cron: "0 2 * * 1-5", timeZone: "America/St_Johns" }],
    ["cron on a leap day", { cron: "0 0 29 2 *" }],
    ["a whole day", { every: 30 * day, between: [{ from: "00:00", to: "24:00" }] }],
    [
      "nights with a head start",
      { every, headStart: day, between: [{ from: "22:00", to: "04:00" }] },
    ],
    ["a first change at once", { every, adopt: { mode: "rotate", delay: hour } }],
    ["adoption by verifying", { every, adopt: { mode: "verify" } }],
    ["an expiry", { every, expiry: 30 * day }],
    ["no expiry", { every, expiry: "none" }],
    ["greatest jitter", { every, retry: { ...retry, jitter: 1 } }],
    ["no jitter, one try", { every, retry: { attempts: 1, every: 1, thenEvery: 1, jitter: 0 } }],
    [
      "a freeze that the head start avoids",
      {
        every,
        headStart: 30 * day,
        freeze: [{ from: "2026-12-20", to: "2027-01-06", reason: "year end", lift: [] }],
      },
    ],
    [
      "freezes that overlap and agree",
      {
        every: 300 * day,
        headStart: 100 * day,
        freeze: [
          {
            from: "2026-12-20",
            to: "2027-01-06",
            reason: "year end",
            lift: ["breach", "exposure"],
          },
          { from: "2026-12-24", to: "2026-12-24", reason: "eve", lift: ["exposure", "breach"] },
        ],
      },
    ],
    [
      "freezes that differ and only touch",
      {
        every: 300 * day,
        headStart: 100 * day,
        freeze: [
          { from: "2026-12-20", to: "2026-12-23", reason: "before", lift: [] },
          { from: "2026-12-24", to: "2026-12-24", reason: "eve", lift: ["breach"] },
        ],
      },
    ],
  ])("with %s has no problems", (_, fields) => {
    expect(said(fields)).toStrictEqual([]);
  });
});

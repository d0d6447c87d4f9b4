import { describe, expect, it } from "vitest";
import { type Policy, usualVerifyEvery } from "../../../../shared/core/policy/policy.ts";
import { day, hour } from "../../../../shared/core/time.ts";
import { said } from "../findings.ts";

const every = 90 * day;

describe("a warning about a field without effect", () => {
  it.each<[string, Partial<Policy>, string[]]>([
    [
      "names exposure fields without afterExposure",
      { every, exposureIgnoresWindow: true, exemptIdentities: ["auditor"] },
      [
        "warning exposureIgnoresWindow: has no effect, because without afterExposure an exposure starts no rotation",
        "warning exemptIdentities: has no effect, because without afterExposure an exposure starts no rotation",
      ],
    ],
    [
      "names hours if nothing is scheduled",
      { manualOnly: true, days: ["sat"], between: [{ from: "22:00", to: "04:00" }], spread: hour },
      ["days", "between", "spread"].map(
        (field) =>
          `warning ${field}: has no effect with manualOnly, because requested rotations do not wait for a window`,
      ),
    ],
    [
      "names appointments if nothing is scheduled",
      { manualOnly: true, at: ["02:00"] },
      [
        "warning at: has no effect with manualOnly, because requested rotations do not wait for a window",
      ],
    ],
    [
      "names a priority without match",
      { every, priority: 0 },
      [
        "warning priority: has no effect without match, because it only ranks policies that match the same target",
      ],
    ],
    [
      "names an expiry that is announced before the due moment",
      { every, expiry: 30 * day - 1 },
      [
        "warning expiry: is shorter than 30d, so the near-expiry event of Key Vault comes before the due moment and starts nothing; use 30d or longer, so that the event can replace a missed sweep",
      ],
    ],
    [
      "names a heartbeat that no rotation leaves time for",
      { every: 7 * day, verifyEvery: 7 * day },
      [
        "warning verifyEvery: has no effect, because each rotation verifies the secret and comes at least as often (every 7d)",
      ],
    ],
  ])("%s", (_, fields, expected) => {
    expect(said(fields)).toStrictEqual(expected);
  });

  it.each<[string, Partial<Policy>]>([
    ["exposures count", { afterExposure: 0, exposureIgnoresWindow: true, exemptIdentities: ["a"] }],
    [
      "exposures are the schedule",
      { manualOnly: true, afterExposure: hour, days: ["sat"], spread: 1 },
    ],
    ["nobody is exempt", { every, exposureIgnoresWindow: false, exemptIdentities: [] }],
    ["there is a schedule", { every: 7 * day, headStart: 6 * day, days: ["sat"] }],
    ["the policy matches targets", { every, priority: 1, match: {} }],
    ["the announcement comes when it is due", { every, expiry: 30 * day }],
    ["nothing is announced", { every, expiry: "none" }],
    ["heartbeats come between rotations", { every: 7 * day, verifyEvery: 7 * day - 1 }],
    ["there is no heartbeat", { every: hour, verifyEvery: "none" }],
    ["nobody chose the heartbeat", { every: hour, verifyEvery: usualVerifyEvery }],
    ["only people rotate", { manualOnly: true, verifyEvery: 90 * day }],
  ])("is absent if %s", (_, fields) => {
    expect(said(fields)).toStrictEqual([]);
  });

  it("does not repeat an error", () => {
    expect(said({ every, expiry: 0 })).toStrictEqual([
      "error expiry: must be longer than 0, or versions expire while they are in use",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour } from "../../../../shared/core/time.ts";
import { said } from "../findings.ts";

const every = 90 * day;

describe("what a policy says to no purpose is warned about", () => {
  it.each<[string, Partial<Policy>, string[]]>([
    [
      "what is for exposures where none counts",
      { every, exposureIgnoresWindow: true, exemptIdentities: ["auditor"] },
      [
        "warning exposureIgnoresWindow: has no effect without afterExposure: no exposure makes a rotation due",
        "warning exemptIdentities: has no effect without afterExposure: nobody's look makes a rotation due",
      ],
    ],
    [
      "hours where nothing comes by schedule",
      { manualOnly: true, days: ["sat"], between: [{ from: "22:00", to: "04:00" }], spread: hour },
      ["days", "between", "spread"].map(
        (field) =>
          `warning ${field}: has no effect with manualOnly: what a person starts waits for no window`,
      ),
    ],
    [
      "appointments where nothing comes by schedule",
      { manualOnly: true, at: ["02:00"] },
      ["warning at: has no effect with manualOnly: what a person starts waits for no window"],
    ],
    [
      "a priority over nobody",
      { every, priority: 0 },
      [
        "warning priority: has no effect without match: it ranks policies that match the same target",
      ],
    ],
    [
      "an expiry that is announced before the due moment",
      { every, expiry: 30 * day - 1 },
      [
        "warning expiry: is shorter than 30d, and Key Vault announces an expiry 30d before it, once: before the due moment, when it starts nothing; make it 30d or longer to have a net under a missed sweep",
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
  ])("and not where %s", (_, fields) => {
    expect(said(fields)).toStrictEqual([]);
  });

  it("does not repeat what is refused anyway", () => {
    expect(said({ every, expiry: 0 })).toStrictEqual([
      "error expiry: must leave time after the due moment, or versions expire in use",
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { findHold } from "../../../shared/core/lifecycle/hold.ts";
import type { Policy } from "../../../shared/core/policy/policy.ts";
import type { Rotation } from "../../../shared/core/record/record.ts";
import { day, plus } from "../../../shared/core/time.ts";
import { adopted, at, begun, now, target } from "../orders.ts";

/** Open from 10:03 to 10:06 of the first of March, in the middle of the moments that records hold. */
const policy: Policy = {
  ...target.policy,
  every: day,
  between: [{ from: "10:03", to: "10:06" }],
  freeze: [
    { from: "2026-03-01T10:05:00Z", to: "2026-03-01T10:20:00Z", reason: "f", lift: ["breach"] },
  ],
};
function under(one: Policy) {
  return { ...target, policy: one };
}

describe("an open rotation", () => {
  const { rotation } = begun();
  const scheduled: Rotation = { ...rotation, reason: "schedule", requestedBy: "schedule" };

  it.each([
    ["by schedule before the window", scheduled, 1, at(3)],
    ["by schedule in the window", scheduled, 4, undefined],
    ["by schedule in the freeze", scheduled, 5, at(24 * 60 + 3)],
    ["by a person before the window", rotation, 1, undefined],
    ["by a person in the freeze", rotation, 5, at(20)],
    [
      "by schedule that may have changed something",
      { ...scheduled, changeBegan: true },
      1,
      undefined,
    ],
  ])("%s is delayed until the obstacle ends", (_what, one, minutes, until) => {
    expect(findHold(adopted, one, under(policy), at(minutes))?.until).toBe(until);
  });

  it("by schedule waits for a named window, or checks again in a day", () => {
    expect(findHold(adopted, scheduled, under(policy), at(1))).toStrictEqual({
      until: at(3),
      why: `policy quarterly: no window is open before ${at(3)}`,
    });
    expect(findHold(adopted, scheduled, under(policy), at(3))).toBeUndefined();
    const never = [{ from: "2020-01-01", to: "2060-01-01", reason: "gone", lift: [] }];
    expect(findHold(adopted, scheduled, under({ ...policy, freeze: never }), at(1))?.until).toBe(
      plus(at(1), day),
    );
  });

  it("waits for no window after an exposure alone, and then only if the policy says so", () => {
    const anyTime = { ...policy, exposureIgnoresWindow: true };
    const exposed: Rotation = { ...scheduled, reason: "exposure" };
    expect(findHold(adopted, exposed, under(anyTime), at(1))).toBeUndefined();
    expect(findHold(adopted, scheduled, under(anyTime), at(1))?.until).toBe(at(3));
    expect(findHold(adopted, exposed, under(policy), at(1))?.until).toBe(at(3));
  });

  it("after an exposure that the record no longer has is delayed like an exposure", () => {
    const exposed: Rotation = { ...scheduled, reason: "exposure" };
    const lifted = (reason: "exposure" | "breach") => ({
      ...policy,
      exposureIgnoresWindow: true,
      freeze: [{ from: "2026-03-01", to: "2026-03-01", reason: "f", lift: [reason] }],
    });
    expect(findHold(adopted, exposed, under(lifted("exposure")), at(1))).toBeUndefined();
    expect(findHold(adopted, exposed, under(lifted("breach")), at(1))?.until).toBe(
      "2026-03-02T00:00:00.000Z",
    );
  });

  it("after a breach is not delayed by a freeze that a breach lifts", () => {
    const exposed: Rotation = { ...scheduled, reason: "exposure" };
    const anyTime = { ...policy, exposureIgnoresWindow: true };
    const breach = { at: now, by: "ben", kind: "breach" } as const;
    expect(
      findHold({ ...adopted, exposure: breach }, exposed, under(anyTime), at(7)),
    ).toBeUndefined();
    const seen = { ...breach, kind: "exposure" } as const;
    expect(findHold({ ...adopted, exposure: seen }, exposed, under(anyTime), at(7))?.until).toBe(
      at(20),
    );
  });
});

import { describe, expect, it } from "vitest";
import { decideStart, describeStart } from "../../../shared/core/lifecycle/permit.ts";
import { fingerprintPolicy } from "../../../shared/core/policy/policy.ts";
import { day } from "../../../shared/core/time.ts";
import { adopted, at, target } from "../orders.ts";

const freeze = [
  { from: "2026-03-01T10:05:00Z", to: "2026-03-01T10:20:00Z", reason: "f", lift: [] },
];
const watched = { ...target, policy: { ...target.policy, every: day, freeze } };

describe("the grounds of a request", () => {
  it("name the requester, the effect of the policy, and the policy", () => {
    const asked = { reason: "operator", requestedBy: "anna" } as const;
    expect(describeStart(asked, adopted, watched, at(4))).toStrictEqual({
      why: "Requested by anna (cause: operator); policy quarterly: no freeze applies",
      policyFingerprint: fingerprintPolicy(watched.policy),
    });
    expect(describeStart(asked, adopted, watched, at(7)).why).toBe(
      "Requested by anna (cause: operator); policy quarterly: frozen from 2026-03-01T10:05:00Z to 2026-03-01T10:20:00Z (f)",
    );
  });

  it("name what made a scheduled rotation due, whatever it has waited for since", () => {
    const dueReason = "waits for target x: its change uses this credential as admin";
    const record = { ...adopted, lastSuccessAt: at(-2_000), nextDue: at(4), dueReason };
    expect(decideStart(record, watched, at(4)).why).toContain("1d after");
    const again = { reason: "schedule", requestedBy: "schedule", why: "another try" } as const;
    expect(decideStart({ ...record, again }, watched, at(4)).why).toBe("another try");
  });
});

import { describe, expect, it } from "vitest";
import { mayOverride, nextDue } from "../../../shared/core/schedule.ts";
import { day, hour } from "../../../shared/core/time.ts";
import { policyWith } from "./sample.ts";

const monday = "2026-06-01T12:00:00.000Z";

describe("a freeze", () => {
  const freeze = [
    { from: "2026-06-20", to: "2026-07-10", reason: "half-year close", lift: ["breach" as const] },
  ];
  const policy = policyWith({ every: 30 * day, freeze, timeZone: "Europe/Vienna" });

  it("is waited out to the end of its last day where the policy is", () => {
    expect(nextDue(policy, { targetId: "orders", changedAt: monday }, monday)).toStrictEqual({
      at: "2026-07-10T22:00:00.000Z",
      reason:
        "policy test: 30d after 2026-06-01T12:00:00.000Z, moved to the window on Sat 2026-07-11 00:00 Europe/Vienna",
      passedOver: [
        {
          at: "2026-07-01T12:00:00.000Z",
          why: "Wed 2026-07-01 14:00 Europe/Vienna: frozen until 2026-07-10: half-year close",
        },
      ],
      policy: "test",
    });
  });

  it("may be given as instants, the last one not included", () => {
    const exact = [
      { from: "2026-07-01T00:00:00Z", to: "2026-07-01T18:00:00+02:00", reason: "move", lift: [] },
    ];
    const due = nextDue(
      policyWith({ every: 30 * day, freeze: exact }),
      { targetId: "orders", changedAt: monday },
      monday,
    );
    expect(due.at).toBe("2026-07-01T16:00:00.000Z");
  });

  it("is lifted for the reasons it names and for no others", () => {
    const strict = { ...policy, afterExposure: hour };
    const facts = { targetId: "orders", exposedAt: "2026-06-25T00:00:00.000Z", changedAt: monday };
    const exposure = nextDue(strict, facts, monday);
    const breach = nextDue(strict, { ...facts, exposureKind: "breach" }, monday);
    expect(exposure.at).toBe("2026-07-10T22:00:00.000Z");
    expect(breach.at).toBe("2026-06-25T01:00:00.000Z");
  });

  it("binds an operator unless it is lifted for operators", () => {
    const during = "2026-06-25T00:00:00.000Z";
    expect(mayOverride(policy, during, "operator")).toStrictEqual({
      allowed: false,
      why: "policy test: frozen from 2026-06-20 to 2026-07-10 (half-year close)",
    });
    expect(mayOverride(policy, during, "breach").allowed).toBe(true);
    expect(mayOverride(policy, "2026-06-19T21:59:59.999Z", "operator")).toStrictEqual({
      allowed: true,
      why: "policy test: no freeze is in force",
    });
    expect(mayOverride(policy, "2026-06-19T22:00:00.000Z", "operator").allowed).toBe(false);
    expect(mayOverride(policy, "2026-07-10T22:00:00.000Z", "operator").allowed).toBe(true);
    expect(mayOverride(policyWith({}), during, "operator").allowed).toBe(true);
  });

  it("passes over appointments inside it, and does not start them late", () => {
    const at = policyWith({
      every: 30 * day,
      at: ["14:30"],
      spread: hour,
      freeze: [
        { from: "2026-07-01T14:00:00Z", to: "2026-07-01T14:40:00Z", reason: "move", lift: [] },
      ],
    });
    const due = nextDue(at, { targetId: "orders", changedAt: monday }, monday);
    expect(due.at?.slice(0, 10)).toBe("2026-07-02");
    expect(due.passedOver).toStrictEqual([
      {
        at: "2026-07-01T14:30:00.000Z",
        why: "Wed 2026-07-01 14:30 UTC: frozen until 2026-07-01T14:40:00Z: move",
      },
    ]);
  });

  it("for ever leaves nothing due, and says so", () => {
    const never = [{ from: "2020-01-01", to: "2060-01-01", reason: "gone", lift: [] }];
    const facts = { targetId: "orders", changedAt: monday };
    const due = nextDue(policyWith({ every: day, at: ["02:00"], freeze: never }), facts, monday);
    expect(due).toStrictEqual({
      reason: "policy test: no window opens in the next ten years",
      passedOver: [],
      policy: "test",
    });
    const exposed = nextDue(
      policyWith({
        every: day,
        at: ["02:00"],
        afterExposure: hour,
        freeze: never.map((one) => ({ ...one, lift: ["exposure" as const] })),
      }),
      { ...facts, exposedAt: monday },
      monday,
    );
    expect(exposed.at).toBe("2026-06-02T02:00:00.000Z");
    expect(exposed.passedOver).toStrictEqual([
      {
        at: "2026-06-02T12:00:00.000Z",
        why: "no window ever opens: 1d after 2026-06-01T12:00:00.000Z",
      },
    ]);
  });
});

describe("what was passed over", () => {
  it("names later rules and missed windows", () => {
    const policy = policyWith({ every: 2 * day, afterExposure: 30 * day, at: ["02:00"] });
    const facts = { targetId: "orders", changedAt: monday, exposedAt: monday };
    expect(nextDue(policy, facts, "2026-06-05T12:00:00.000Z")).toStrictEqual({
      at: "2026-06-06T02:00:00.000Z",
      reason:
        "policy test: 2d after 2026-06-01T12:00:00.000Z, kept for the appointment on Sat 2026-06-06 02:00 UTC",
      passedOver: [
        {
          at: "2026-06-04T02:00:00.000Z",
          why: "Thu 2026-06-04 02:00 UTC: the window passed unused",
        },
        {
          at: "2026-06-05T02:00:00.000Z",
          why: "Fri 2026-06-05 02:00 UTC: the window passed unused",
        },
        {
          at: "2026-07-02T02:00:00.000Z",
          why: "later: 30d after the exposure at 2026-06-01T12:00:00.000Z, kept for the appointment on Thu 2026-07-02 02:00 UTC",
        },
      ],
      policy: "test",
    });
  });

  it("is no more than ten", () => {
    const policy = policyWith({ every: day, at: ["02:00"] });
    const due = nextDue(policy, { targetId: "a", changedAt: monday }, "2027-06-05T12:00:00.000Z");
    expect(due.passedOver).toHaveLength(10);
  });
});

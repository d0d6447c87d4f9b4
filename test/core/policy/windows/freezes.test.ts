import { describe, expect, it } from "vitest";
import { computeNextDue, mayOverride } from "../../../../shared/core/policy/due/schedule.ts";
import type { Policy } from "../../../../shared/core/policy/policy.ts";
import { day, hour } from "../../../../shared/core/time.ts";
import { policyWith } from "../sample.ts";

const monday = "2026-06-01T12:00:00.000Z";

describe("a freeze", () => {
  const freeze = [
    { from: "2026-06-20", to: "2026-07-10", reason: "half-year close", lift: ["breach" as const] },
  ];
  const policy = policyWith({ every: 30 * day, freeze, timeZone: "Europe/Vienna" });

  it("lasts until the end of its last day in the zone of the policy", () => {
    expect(computeNextDue(policy, { targetId: "orders", changedAt: monday }, monday)).toStrictEqual(
      {
        at: "2026-07-10T22:00:00.000Z",
        reason:
          "policy test: due 30d after 2026-06-01T12:00:00.000Z; delayed by a freeze until Sat 2026-07-11 00:00 Europe/Vienna",
        passedOver: [
          {
            at: "2026-07-01T12:00:00.000Z",
            why: "Wed 2026-07-01 14:00 Europe/Vienna: frozen until 2026-07-10 (half-year close)",
          },
        ],
        policy: "test",
      },
    );
  });

  it("can be given as instants, with the last one excluded", () => {
    const exact = [
      { from: "2026-07-01T00:00:00Z", to: "2026-07-01T18:00:00+02:00", reason: "move", lift: [] },
    ];
    const due = computeNextDue(
      policyWith({ every: 30 * day, freeze: exact }),
      { targetId: "orders", changedAt: monday },
      monday,
    );
    expect(due.at).toBe("2026-07-01T16:00:00.000Z");
  });

  it("is lifted only for the reasons that it lists", () => {
    const strict = { ...policy, afterExposure: hour };
    const facts = { targetId: "orders", exposedAt: "2026-06-25T00:00:00.000Z", changedAt: monday };
    const exposure = computeNextDue(strict, facts, monday);
    const breach = computeNextDue(strict, { ...facts, exposureKind: "breach" }, monday);
    expect(exposure.at).toBe("2026-07-10T22:00:00.000Z");
    expect(breach.at).toBe("2026-06-25T01:00:00.000Z");
  });

  it("delays requests of operators unless it is lifted for operators", () => {
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

  it("skips the appointments inside it, and does not start them late", () => {
    const at = policyWith({
      every: 30 * day,
      at: ["14:30"],
      spread: hour,
      freeze: [
        { from: "2026-07-01T14:00:00Z", to: "2026-07-01T14:40:00Z", reason: "move", lift: [] },
      ],
    });
    const due = computeNextDue(at, { targetId: "orders", changedAt: monday }, monday);
    expect(due.at?.slice(0, 10)).toBe("2026-07-02");
    expect(due.passedOver).toStrictEqual([
      {
        at: "2026-07-01T14:30:00.000Z",
        why: "Wed 2026-07-01 14:30 UTC: frozen until 2026-07-01T14:40:00Z (move)",
      },
    ]);
  });

  it("that never ends leaves nothing due, with this reason", () => {
    const never = [{ from: "2020-01-01", to: "2060-01-01", reason: "gone", lift: [] }];
    const facts = { targetId: "orders", changedAt: monday };
    const due = computeNextDue(
      policyWith({ every: day, at: ["02:00"], freeze: never }),
      facts,
      monday,
    );
    expect(due).toStrictEqual({
      reason: "policy test: no window opens in the next ten years",
      passedOver: [],
      policy: "test",
    });
    const exposed = computeNextDue(
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
        why: "no window ever opens: due 1d after 2026-06-01T12:00:00.000Z",
      },
    ]);
  });
});

describe("the list of passed-over moments", () => {
  it("names later rules and missed windows", () => {
    const policy = policyWith({ every: 2 * day, afterExposure: 30 * day, at: ["02:00"] });
    const facts = { targetId: "orders", changedAt: monday, exposedAt: monday };
    expect(computeNextDue(policy, facts, "2026-06-05T12:00:00.000Z")).toStrictEqual({
      at: "2026-06-06T02:00:00.000Z",
      reason:
        "policy test: due 2d after 2026-06-01T12:00:00.000Z; scheduled for Sat 2026-06-06 02:00 UTC",
      passedOver: [
        {
          at: "2026-06-04T02:00:00.000Z",
          why: "Thu 2026-06-04 02:00 UTC: no rotation started in this window",
        },
        {
          at: "2026-06-05T02:00:00.000Z",
          why: "Fri 2026-06-05 02:00 UTC: no rotation started in this window",
        },
        {
          at: "2026-07-02T02:00:00.000Z",
          why: "later: due 30d after the exposure at 2026-06-01T12:00:00.000Z; scheduled for Thu 2026-07-02 02:00 UTC",
        },
      ],
      policy: "test",
    });
  });

  it("has at most ten entries", () => {
    const policy = policyWith({ every: day, at: ["02:00"] });
    const due = computeNextDue(
      policy,
      { targetId: "a", changedAt: monday },
      "2027-06-05T12:00:00.000Z",
    );
    expect(due.passedOver).toHaveLength(10);
  });

  it("has at most ten entries, including later rules", () => {
    const policy = policyWith({ every: day, at: ["02:00"], afterExposure: 365 * day });
    const facts = { targetId: "a", changedAt: monday, exposedAt: monday };
    const { passedOver } = computeNextDue(policy, facts, "2026-07-05T12:00:00.000Z");
    expect(passedOver).toHaveLength(10);
    const early = computeNextDue(policy, facts, "2026-06-04T12:00:00.000Z").passedOver;
    expect(early.map(({ at }) => at)).toStrictEqual([
      "2026-06-03T02:00:00.000Z",
      "2026-06-04T02:00:00.000Z",
      "2027-06-02T02:00:00.000Z",
    ]);
  });

  it("ends a hundred days after the change could have started", () => {
    const policy = policyWith({
      every: day,
      days: ["sat"],
      freeze: [{ from: "2026-06-01", to: "2027-12-31", reason: "close", lift: [] }],
    });
    const quarterly = { ...policy, cron: "0 2 1 */3 *" };
    const { days: _, ...appointments } = quarterly;
    const { passedOver } = computeNextDue(
      appointments,
      { targetId: "a", changedAt: monday },
      monday,
    );
    expect(passedOver.map(({ at }) => at)).toStrictEqual(["2026-07-01T02:00:00.000Z"]);
  });

  it("is empty if the change starts as soon as possible", () => {
    const passedOver = (fields: Partial<Policy>, changedAt = monday) =>
      computeNextDue(policyWith({ every: day, ...fields }), { targetId: "a", changedAt }, changedAt)
        .passedOver;
    const nights = [{ from: "10:00", to: "14:00" }];
    const until = (to: string) => [{ from: "2026-06-01T00:00:00Z", to, reason: "move", lift: [] }];
    expect(passedOver({})).toStrictEqual([]);
    expect(passedOver({ between: nights })).toStrictEqual([]);
    expect(passedOver({ between: nights, freeze: until("2026-06-02T11:00:00Z") })).toStrictEqual(
      [],
    );
    expect(passedOver({ between: nights, freeze: until("2026-06-02T12:00:00Z") })).toStrictEqual(
      [],
    );
    expect(passedOver({ at: ["12:00"] })).toStrictEqual([]);
    // Two minutes after the first appointment, which therefore does not count as missed.
    expect(passedOver({ at: ["12:00", "13:00"] }, "2026-06-01T12:02:00.000Z")).toStrictEqual([]);
  });

  it("contains an appointment at the exact moment at which the change could have started", () => {
    const policy = policyWith({ every: day, at: ["12:00"] });
    const due = computeNextDue(
      policy,
      { targetId: "a", changedAt: monday },
      "2026-06-02T12:15:00.000Z",
    );
    expect(due.at).toBe("2026-06-03T12:00:00.000Z");
    expect(due.passedOver.map(({ at }) => at)).toStrictEqual(["2026-06-02T12:00:00.000Z"]);
  });

  it("contains the moment of an exposure that ignores windows, if it is frozen", () => {
    const policy = policyWith({
      afterExposure: hour,
      exposureIgnoresWindow: true,
      at: ["02:00"],
      freeze: [{ from: "2026-06-01", to: "2026-06-02", reason: "close", lift: ["breach"] }],
    });
    const facts = { targetId: "a", changedAt: monday, exposedAt: monday };
    expect(computeNextDue(policy, facts, monday)).toStrictEqual({
      at: "2026-06-03T00:00:00.000Z",
      reason:
        "policy test: due 1h after the exposure at 2026-06-01T12:00:00.000Z; ignores windows; delayed by a freeze until Wed 2026-06-03 00:00 UTC",
      passedOver: [
        {
          at: "2026-06-01T13:00:00.000Z",
          why: "Mon 2026-06-01 13:00 UTC: frozen until 2026-06-02 (close)",
        },
      ],
      policy: "test",
    });
  });

  it("names a freeze only if it is not lifted for the reason of the change", () => {
    const policy = policyWith({
      afterExposure: hour,
      between: [{ from: "13:00", to: "15:00" }],
      freeze: [{ from: "2026-06-01", to: "2026-06-01", reason: "close", lift: ["breach"] }],
    });
    const facts = { targetId: "a", exposedAt: monday, exposureKind: "breach" as const };
    const due = computeNextDue(policy, facts, "2026-06-01T16:00:00.000Z");
    expect(due.passedOver.map(({ why }) => why)).toStrictEqual([
      "Mon 2026-06-01 13:00 UTC: no rotation started in this window",
    ]);
  });

  it("contains rules that are never due, at the current time if they have no moment", () => {
    const policy = policyWith({
      every: day,
      afterExposure: hour,
      days: ["mon"],
      exposureIgnoresWindow: true,
      freeze: [{ from: "2020-01-01", to: "2060-01-01", reason: "gone", lift: ["exposure"] }],
    });
    const due = computeNextDue(policy, { targetId: "a", exposedAt: monday }, monday);
    expect(due.passedOver).toStrictEqual([
      {
        at: monday,
        why: "no window ever opens: due as soon as possible, because the secret was never changed",
      },
    ]);
  });
});

import { describe, expect, it } from "vitest";
import {
  computeExpiry,
  findFreezeEnd,
  mayOverride,
  mayStart,
} from "../../../../shared/core/policy/due/schedule.ts";
import { day, hour, minute } from "../../../../shared/core/time.ts";
import { policyWith } from "../sample.ts";

const monday = "2026-06-01T12:00:00.000Z";

const nights = [{ from: "22:00", to: "04:00" }];

describe("permission to start a change", () => {
  const policy = policyWith({
    every: 30 * day,
    headStart: 7 * day,
    spread: 2 * hour,
    between: nights,
  });
  const facts = { targetId: "orders", changedAt: monday };

  it("depends on head start and windows, not on the spread", () => {
    expect(mayStart(policy, facts, "2026-06-24T21:59:59.999Z").allowed).toBe(false);
    expect(mayStart(policy, facts, "2026-06-24T22:00:00.000Z")).toStrictEqual({
      allowed: true,
      why: "policy test: due 30d after 2026-06-01T12:00:00.000Z; may start 7d earlier (headStart); starts in the window from Wed 2026-06-24 22:00 UTC",
    });
    expect(mayStart(policy, facts, "2026-06-25T04:00:00.000Z").allowed).toBe(false);
  });

  it("is refused if nothing is due", () => {
    expect(mayStart(policyWith({ manualOnly: true }), facts, monday).allowed).toBe(false);
  });
});

describe("the expiry of a version", () => {
  it("makes Key Vault announce it at the due moment, also if windows moved it", () => {
    expect(computeExpiry(policyWith({ every: 90 * day }), monday, "orders")).toBe(
      "2026-09-29T12:00:00.000Z",
    );
    expect(computeExpiry(policyWith({ every: 30 * day, days: ["sat"] }), monday, "orders")).toBe(
      "2026-08-03T00:00:00.000Z",
    );
  });

  it("is the configured time after the due moment, or none", () => {
    expect(computeExpiry(policyWith({ every: 90 * day, expiry: 45 * day }), monday, "orders")).toBe(
      "2026-10-14T12:00:00.000Z",
    );
    expect(
      computeExpiry(policyWith({ every: 90 * day, expiry: "none" }), monday, "orders"),
    ).toBeUndefined();
    expect(computeExpiry(policyWith({ manualOnly: true }), monday, "orders")).toBeUndefined();
  });

  it("is announced only when a rotation may start, also for ages below thirty days", () => {
    const policy = policyWith({ every: 10 * minute });
    const expires = Date.parse(computeExpiry(policy, monday, "orders") ?? "");
    const announced = new Date(expires - 30 * day).toISOString();
    expect(mayStart(policy, { targetId: "orders", changedAt: monday }, announced).allowed).toBe(
      true,
    );
    expect(mayStart(policy, { targetId: "orders", changedAt: announced }, announced).allowed).toBe(
      false,
    );
  });
});

describe("the end of the freezes that delay a change", () => {
  const freeze = [
    { from: "2026-06-20", to: "2026-06-21", reason: "close", lift: ["breach" as const] },
    { from: "2026-06-22", to: "2026-06-22", reason: "audit", lift: [] },
    { from: "2026-07-01", to: "2026-07-02", reason: "move", lift: [] },
  ];
  const policy = policyWith({ freeze });

  it.each([
    ["before all of them", "2026-06-19T23:59:59.999Z", undefined],
    ["from the first moment on", "2026-06-20T00:00:00.000Z", "2026-06-23T00:00:00.000Z"],
    ["to the last one", "2026-06-22T23:59:59.999Z", "2026-06-23T00:00:00.000Z"],
    ["between them", "2026-06-23T00:00:00.000Z", undefined],
    ["in the last one", "2026-07-02T00:00:00.000Z", "2026-07-03T00:00:00.000Z"],
    ["after all of them", "2026-07-03T00:00:00.000Z", undefined],
  ])("%s", (_, at, until) => {
    expect(findFreezeEnd(policy, at, "operator")).toBe(until);
    expect(mayOverride(policy, at, "operator").allowed).toBe(until === undefined);
  });

  it("depends on the freezes that are not lifted, and on the zone of the policy", () => {
    const saturday = "2026-06-20T12:00:00.000Z";
    expect(findFreezeEnd(policy, saturday, "breach")).toBeUndefined();
    expect(findFreezeEnd({ ...policy, timeZone: "Asia/Tokyo" }, saturday, "operator")).toBe(
      "2026-06-22T15:00:00.000Z",
    );
    expect(findFreezeEnd(policyWith({}), saturday, "operator")).toBeUndefined();
  });
});

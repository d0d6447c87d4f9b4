import { describe, expect, test } from "vitest";
import { isInState, isWanted, type TargetFilter } from "../../shared/core/target-filter.ts";
import { target as orders } from "./orders.ts";

const target = { ...orders, tags: { owner: "payments", env: "prod" } };
const own = { policy: target.policy.name, type: target.type, vault: target.publish.vault };

describe("A filter by configuration", () => {
  test.each<[string, TargetFilter]>([
    ["without conditions", {}],
    ["by its policy", { policy: own.policy }],
    ["by its type", { type: own.type }],
    ["by its vault", { vault: own.vault }],
    ["by one of its tags", { tags: [["env", "prod"]] }],
    [
      "by several of its tags",
      {
        tags: [
          ["env", "prod"],
          ["owner", "payments"],
        ],
      },
    ],
    ["by everything", { ...own, tags: [["env", "prod"]] }],
  ])("finds a target %s", (_how, filter) => {
    expect(isWanted(target, filter)).toBe(true);
  });

  test.each<[string, TargetFilter]>([
    ["another policy", { policy: "other" }],
    ["another type", { type: "other" }],
    ["another vault", { vault: "other" }],
    ["another value of a tag", { tags: [["env", "test"]] }],
    ["a tag that the target does not have", { tags: [["team", "prod"]] }],
    ["a tag that every object has", { tags: [["constructor", "prod"]] }],
    [
      "two values of the same tag",
      {
        tags: [
          ["env", "prod"],
          ["env", "test"],
        ],
      },
    ],
    ["one condition that does not hold", { ...own, vault: "other" }],
  ])("does not find it by %s", (_how, filter) => {
    expect(isWanted(target, filter)).toBe(false);
  });
});

describe("A filter by state", () => {
  const now = "2026-03-01T10:00:00.000Z";
  const due = (nextDue?: string, health: "healthy" | "failing" = "healthy") =>
    nextDue === undefined ? { health } : { health, nextDue };

  test("finds targets of a health", () => {
    expect(isInState(due(now, "failing"), { health: "failing" }, now)).toBe(true);
    expect(isInState(due(now), { health: "failing" }, now)).toBe(false);
  });

  test.each([
    ["due an hour ago", "2026-03-01T09:00:00.000Z", true],
    ["due 15 minutes and a moment ago", "2026-03-01T09:44:59.999Z", true],
    ["due 15 minutes ago", "2026-03-01T09:45:00.000Z", false],
    ["due later", "2026-03-01T11:00:00.000Z", false],
    ["never due", undefined, false],
  ])("knows whether a target %s is overdue", (_when, nextDue, isOverdue) => {
    expect(isInState(due(nextDue), { isOverdue: true }, now)).toBe(isOverdue);
    expect(isInState(due(nextDue), { isOverdue: false }, now)).toBe(true);
  });

  test.each([
    ["due a moment before", "2026-03-31T23:59:59.999Z", true],
    ["due at that moment", "2026-04-01T00:00:00.000Z", false],
    ["never due", undefined, false],
  ])("knows whether a target %s is due before a moment", (_when, nextDue, isFound) => {
    expect(isInState(due(nextDue), { dueBefore: "2026-04-01T00:00:00.000Z" }, now)).toBe(isFound);
  });

  test("needs all of its conditions", () => {
    const filter = { health: "failing", isOverdue: true } as const;
    const old = "2026-03-01T09:00:00.000Z";
    expect(isInState(due(old, "failing"), filter, now)).toBe(true);
    expect(isInState(due(old), filter, now)).toBe(false);
    expect(isInState(due(now, "failing"), filter, now)).toBe(false);
  });
});

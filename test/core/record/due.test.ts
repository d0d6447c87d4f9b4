import { describe, expect, it } from "vitest";
import { findLastChange, toFacts, withDue } from "../../../shared/core/record/due.ts";
import { type TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { computeFingerprint } from "../../../shared/core/target.ts";
import { adopted, at, now, target } from "../orders.ts";

const { policy } = target;
const unpublished: TargetRecord = { ...newRecord("orders"), adoptedAt: now };

describe("the facts behind a due time", () => {
  it("are only the id for an unknown target", () => {
    expect(toFacts(newRecord("orders"))).toStrictEqual({ targetId: "orders" });
  });

  it("have the adoption only if consumers could use the secret then", () => {
    expect(toFacts(adopted)).toStrictEqual({ targetId: "orders", adoptedAt: now });
    expect(toFacts(unpublished)).toStrictEqual({ targetId: "orders" });
    const { adoptedAt: _, ...unknown } = adopted;
    expect(toFacts(unknown)).toStrictEqual({ targetId: "orders" });
  });

  it("have the last change, the exposure and the last use", () => {
    const exposure = { at: at(5), by: "ben", from: "a log", kind: "breach" } as const;
    const lastUsedAt = at(6);
    expect(toFacts({ ...adopted, lastSuccessAt: at(3), exposure, lastUsedAt })).toStrictEqual({
      targetId: "orders",
      adoptedAt: now,
      changedAt: at(3),
      exposedAt: at(5),
      exposureBy: "ben",
      exposureKind: "breach",
      lastUsedAt,
    });
  });
});

describe("the last change of the published secret", () => {
  const changedAt = (minutes: number) => ({
    ...adopted,
    slots: [
      { account: "orders_a", changedAt: at(minutes) },
      { account: "orders_b", changedAt: at(99) },
    ],
  });

  it("is the later one of the last success and the change of the account that is published", () => {
    expect(findLastChange({ ...changedAt(5), lastSuccessAt: at(3) })).toBe(at(5));
    expect(findLastChange({ ...changedAt(5), lastSuccessAt: at(8) })).toBe(at(8));
    expect(findLastChange(changedAt(5))).toBe(at(5));
    expect(findLastChange({ ...adopted, lastSuccessAt: at(3) })).toBe(at(3));
  });

  it("belongs to no account when none is known to be published", () => {
    const { active: _, ...unknown } = changedAt(5);
    expect(findLastChange(unknown)).toBeUndefined();
    expect(findLastChange({ ...unknown, lastSuccessAt: at(3) })).toBe(at(3));
  });

  it("is the time of writing of a secret that did not log in", () => {
    const found = { ...unpublished, writtenAt: at(-7), lastSuccessAt: at(3) };
    expect(findLastChange(found)).toBe(at(-7));
    expect(findLastChange({ ...adopted, writtenAt: at(-7) })).toBeUndefined();
  });
});

describe("a record with its due moment", () => {
  const planned = {
    policyFingerprint: computeFingerprint(target),
    policyWhy: "named by the target",
  };

  it("says when and why, and by which policy", () => {
    expect(withDue(adopted, target, now)).toStrictEqual({
      ...adopted,
      ...planned,
      nextDue: "2026-05-30T10:00:00.000Z",
      dueReason: `policy quarterly: due 90d after ${now}`,
    });
  });

  it("has no due time when nothing is due, but the reason", () => {
    const { every: _, ...byHand } = policy;
    const manual = { ...target, policy: { ...byHand, manualOnly: true } };
    const passedOver = [{ at: at(0), why: "as it was" }];
    const before = { ...adopted, nextDue: at(1), dueReason: "as it was", passedOver };
    expect(withDue(before, manual, now)).toStrictEqual({
      ...adopted,
      ...planned,
      policyFingerprint: computeFingerprint(manual),
      dueReason: "policy quarterly: manualOnly is set, so only a request starts a rotation",
    });
  });

  it("keeps as many alternatives as a row can hold", () => {
    const policiesPassedOver = Array.from({ length: 11 }, (_, index) => ({
      policy: `p${index}`,
      why: "is only for targets that name it",
    }));
    const long = { ...target, policyWhy: "w".repeat(1_001), policiesPassedOver };
    const record = withDue({ ...adopted, policiesPassedOver }, long, now);
    expect(record.policyWhy).toBe("w".repeat(1_000));
    expect(record.policiesPassedOver).toStrictEqual(policiesPassedOver.slice(0, 10));
    expect(withDue(record, target, now)).not.toHaveProperty("policiesPassedOver");
  });

  it("keeps the adopted part of the fingerprint when the policy is edited", () => {
    const before = { ...adopted, policyFingerprint: "older main/another orders_a" };
    const { policyFingerprint } = withDue(before, target, now);
    expect(policyFingerprint).toBe(
      `${computeFingerprint(target).split(" ")[0] ?? ""} main/another orders_a`,
    );
  });
});

import { describe, expect, test } from "vitest";
import { mergeConcurrent } from "../../../shared/core/record/merge-concurrent.ts";
import type { TargetRecord } from "../../../shared/core/record/record.ts";
import { adopted, at, begun, failure, request, target, version } from "../orders.ts";

const base: TargetRecord = { ...adopted, nextDue: at(100_000), dueReason: "every 90d" };
const now = at(30);
const merge = (local: TargetRecord, remote: TargetRecord, before = base) =>
  mergeConcurrent({ base: before, local, remote }, target, now);

/** The record that the worker wanted to write. */
const local: TargetRecord = { ...base, health: "failing", lastFailure: failure("bug") };

describe("after a lost race the record has", () => {
  test("everything that the worker wanted, when no caller changed anything", () => {
    expect(merge(local, base)).toEqual(local);
  });

  test("the request that somebody made meanwhile", () => {
    expect(merge(local, { ...base, request })).toEqual({ ...local, request });
  });

  test("the newer of two requests", () => {
    const newer = { ...request, rotationId: "r2", at: at(20) };
    const before = { ...base, request };
    expect(merge({ ...local, request }, { ...base, request: newer }, before).request).toEqual(
      newer,
    );
  });

  test("no request that the worker has just answered", () => {
    const before = { ...base, request };
    expect(merge(local, before, before).request).toBeUndefined();
  });

  test("the exposure that somebody reported, and the earlier due moment that it brings", () => {
    const exposure = { at: at(10), by: "ben", kind: "exposure" as const };
    const remote = { ...base, exposure, nextDue: at(60), dueReason: "exposed" };
    expect(merge(local, remote)).toMatchObject({
      exposure,
      nextDue: at(60),
      dueReason: "exposed",
      health: "failing",
    });
  });

  test("the later of two uses", () => {
    const remote = { ...base, lastUsedAt: at(20), lastUsedBy: "orders" };
    expect(merge(local, remote)).toMatchObject({ lastUsedAt: at(20), lastUsedBy: "orders" });
    const used = { ...local, lastUsedAt: at(29) };
    expect(merge(used, remote).lastUsedAt).toBe(at(29));
  });

  test("the requested check, even if the worker has just made one", () => {
    const first = { at: at(1), why: "the first", failures: 0 };
    const second = { at: at(2), why: "the second", failures: 0 };
    expect(merge(local, { ...base, check: first }).check).toEqual(first);
    const before = { ...base, check: first };
    expect(merge(local, { ...base, check: second }, before).check).toEqual(second);
    expect(merge(local, before, before).check).toBeUndefined();
  });

  test.each([
    ["slots", { slots: [] }],
    ["published", { published: version(9) }],
    ["rotation", { rotation: begun().rotation }],
    ["refusals", { refusals: [{ account: "orders_a", version: "1", at: at(1) }] }],
    ["outbox", { outbox: [] }],
    ["claim", { claim: { fence: 99 } }],
  ] as const)("nothing of what only the owner of the claim writes: %s", (_field, changed) => {
    expect(merge(local, { ...base, ...changed })).toEqual(local);
  });
});

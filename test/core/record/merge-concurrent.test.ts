import { describe, expect, test } from "vitest";
import {
  findCancelled,
  mergeConcurrent,
  withCallersFields,
} from "../../../shared/core/record/merge-concurrent.ts";
import type { DatedRequest, TargetRecord } from "../../../shared/core/record/record.ts";
import { adopted, at, begun, failure, request, target, version } from "../orders.ts";

const base: TargetRecord = { ...adopted, nextDue: at(100_000), dueReason: "every 90d" };
const open = begun().rotation;
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

  test("the wish of a queued request that the open rotation continues at once", () => {
    const before = { ...base, request };
    const hurrying = { ...request, hurries: "open" };
    const theirs = { ...base, request: hurrying };
    expect(merge({ ...local, request }, theirs, before).request).toEqual(hurrying);
    // The worker has just fulfilled it.
    expect(merge({ ...local, request }, theirs, theirs).request).toEqual(request);
  });

  test("no request that the worker has just answered", () => {
    const before = { ...base, request };
    expect(merge(local, before, before).request).toBeUndefined();
  });

  test("the scheduled rotations that somebody added, and none that somebody cancelled", () => {
    const [a, b, c] = ["r-a", "r-b", "r-c"].map((rotationId, index) => ({
      ...request,
      ...{ rotationId, notBefore: at(50 + index) },
    })) as [DatedRequest, DatedRequest, DatedRequest];
    const before = { ...base, dated: [a, b] };
    const wanted = { ...local, dated: [a, b] };
    expect(merge(wanted, { ...base, dated: [b, c] }, before).dated).toEqual([b, c]);
    const { dated: _, ...none } = before;
    expect(merge(wanted, none, before)).not.toHaveProperty("dated");
    // The next race of the same write begins with what callers have written so far.
    expect(withCallersFields(before, none)).not.toHaveProperty("dated");
    const added = merge(local, { ...base, dated: [a] });
    const next = withCallersFields(base, { ...base, dated: [a] });
    expect(merge(added, base, next)).not.toHaveProperty("dated");
  });

  test("no scheduled rotation that the worker began itself, where only the answer to its write was lost", () => {
    const dated = { ...request, rotationId: "r1", notBefore: at(20) };
    const before = { ...base, dated: [dated] };
    const started = { ...base, rotation: { ...open, id: "r1" } };
    expect(findCancelled({ base: before, local: started, remote: started })).toBeUndefined();
    expect(findCancelled({ base: before, local: started, remote: base })).toBe("r1");
    const queued = { ...base, request: dated };
    expect(findCancelled({ base: before, local: queued, remote: queued })).toBeUndefined();
    expect(findCancelled({ base: before, local: queued, remote: base })).toBe("r1");
    const running = { ...before, rotation: { ...open, id: "r2" } };
    expect(findCancelled({ base: running, local: base, remote: base })).toBeUndefined();
    const theirs = { ...base, rotation: { ...open, id: "r2" } };
    expect(findCancelled({ base: running, local: base, remote: theirs })).toBe("r1");
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

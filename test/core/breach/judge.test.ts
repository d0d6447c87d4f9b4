import { describe, expect, test } from "vitest";
import { begin, type ItemFacts, judge } from "../../../shared/core/breach/judge.ts";
import type { RunRecord } from "../../../shared/core/record/history.ts";
import type { TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { minute, plus } from "../../../shared/core/time.ts";
import { leanItem } from "../../stores/full-breaches.ts";
import { leanRun } from "../../stores/full-records.ts";
import { target } from "../orders.ts";
import { now } from "./candidates.ts";

const rotationId = "01JNN000000000000000000000";
const breach = { giveUpAfter: 15 * minute };
const base = {
  ...begin({ ...leanItem("01JNN1", 1), keepsOldPassword: false }, now),
  rotationId,
};
const failure = { kind: "change-refused", message: "no right", at: now } as const;

const facts = (run: Partial<RunRecord>, record: Partial<TargetRecord> = {}): ItemFacts => ({
  run: { ...leanRun(target.id, rotationId), ...run },
  record: { ...newRecord(target.id), adoptedAt: now, ...record },
  target,
});
const judged = (known: ItemFacts, after = minute, item = base) =>
  judge(item, known, breach, plus(now, after));

describe("A rotation that is done", () => {
  const version = { vault: "main", name: "orders-db", version: "2" };
  const done = { state: "done", endedAt: now, published: version } as const;
  const retirement = { account: "orders_a", at: now, rotationId, failures: 1 };

  test("is reported with its version", () => {
    expect(judged(facts(done))).toMatchObject({
      ...{ state: "rotated", rotatedAt: now, version, oldPasswordWorks: false },
    });
  });

  test("is waited for until its old password is disabled, but not for ever", () => {
    const known = facts(done, { retirement });
    expect(judged(known)).toMatchObject({
      state: "begun",
      waitsFor: expect.stringContaining("orders_a still works") as string,
    });
    expect(judged(known, 15 * minute)).toMatchObject({ state: "rotated", oldPasswordWorks: true });
  });

  test("is not waited for because of the retirement of another rotation", () => {
    const other = { ...retirement, rotationId: "01JNN000000000000000000009" };
    expect(judged(facts(done, { retirement: other }))).toMatchObject({
      ...{ state: "rotated", oldPasswordWorks: false },
    });
  });

  test("of accounts that change themselves says that the old password works", () => {
    const item = { ...base, keepsOldPassword: true };
    const seen = judged(facts(done), minute, item);
    expect(seen).toMatchObject({ state: "rotated", oldPasswordWorks: true });
    expect(seen.outcome).toContain("Rotate the target once more");
  });
});

test("A rotation that failed is reported with its failure and the next try", () => {
  const again = { why: "another attempt", reason: "exposure", requestedBy: "ada" } as const;
  const nextDue = plus(now, 60 * minute);
  expect(judged(facts({ state: "failed", failure }, { again, nextDue }))).toMatchObject({
    ...{ state: "failed", failure, nextTry: nextDue },
  });
});

test("A target without a known password is blocked", () => {
  expect(judged(facts({ state: "blocked" }, { lastFailure: failure }))).toMatchObject({
    ...{ state: "blocked", failure },
  });
  const { adoptedAt: _, ...fresh } = { ...newRecord(target.id), adoptedAt: now };
  const known = { ...facts({ state: "queued" }), record: { ...fresh, health: "blocked" as const } };
  expect(judged(known)).toMatchObject({ state: "blocked" });
});

describe("A rotation that is under way", () => {
  const request = { rotationId, reason: "exposure", requestedBy: "ada", at: now } as const;

  test("is the same item when nothing is new", () => {
    expect(judged(facts({ state: "queued" }, { request }))).toBe(base);
  });

  test("is no longer waited for after its time, and is reported with what it waits for", () => {
    const seen = judged(facts({ state: "queued" }, { request }), 15 * minute);
    expect(seen).toMatchObject({
      state: "unfinished",
      outcome: `The rotation is still under way. Rotation ${rotationId} goes on. See its outcome with GET /api/targets/${base.targetId}/rotations/${rotationId}`,
    });
  });

  test("is not waited for when it waits for longer than its time", () => {
    const until = plus(now, 60 * minute);
    const pause = { by: "ben", at: now, until, reason: "migration" };
    expect(judged(facts({ state: "queued" }, { request, pause }))).toMatchObject({
      ...{ state: "unfinished", nextTry: until },
      outcome: expect.stringContaining("paused by ben") as string,
    });
    const soon = { ...pause, until: plus(now, 5 * minute) };
    expect(judged(facts({ state: "queued" }, { request, pause: soon }))).toMatchObject({
      state: "begun",
    });
  });

  test("of a target that was removed, or whose rows cannot be read, is reported with that reason", () => {
    const known = facts({ state: "queued" }, { request });
    const gone = { ...known, target: undefined };
    expect(judged(gone)).toMatchObject({ state: "begun" });
    expect(judged(gone, 15 * minute).outcome).toBe("The target is no longer configured");
    const unreadable = { run: undefined, record: undefined, target, unreadable: "newer" };
    expect(judged(unreadable, 15 * minute)).toMatchObject({
      state: "unfinished",
      outcome: "newer",
    });
  });
});

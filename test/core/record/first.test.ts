import { expect, test } from "vitest";
import { goesFirst } from "../../../shared/core/record/first.ts";
import { type Rotation, type TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";

const at = "2026-03-01T10:00:00.000Z";
const record: TargetRecord = { ...newRecord("app"), active: "app" };
const rotation = (changed: Partial<Rotation>): Rotation => ({
  ...{ id: "1", account: "app", why: "", policyFingerprint: "", requestedBy: "schedule" },
  ...{ reason: "schedule", requestedAt: at, startedAt: at, phases: [], failures: 0 },
  ...{ phase: "staging", furthest: "staging", changeBegan: false },
  ...changed,
});
const wish = { rotationId: "1", requestedBy: "anna", at } as const;

test.each<[string, TargetRecord, boolean]>([
  ["nobody waits for it", record, false],
  ["the schedule wants it", { ...record, rotation: rotation({}) }, false],
  ["a person has asked", { ...record, request: { ...wish, reason: "operator" } }, true],
  ["a person's rotation is open", { ...record, rotation: rotation({ reason: "operator" }) }, true],
  [
    "a person's rotation has failed",
    { ...record, again: { ...wish, why: "", reason: "operator" } },
    true,
  ],
  ["its secret was seen", { ...record, exposure: { at, by: "scanner", kind: "exposure" } }, true],
  ["the target refuses what is published", { ...record, refusedSince: at }, true],
  ["its change has begun", { ...record, rotation: rotation({ changeBegan: true }) }, true],
  [
    "the idle account of a pair is changed",
    { ...record, rotation: rotation({ account: "other", changeBegan: true }) },
    false,
  ],
])("a target goes first when it must: %s", (_what, of, first) => {
  expect(goesFirst(of)).toBe(first);
});

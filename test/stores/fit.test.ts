import { describe, expect, it } from "vitest";
import {
  type Notification,
  type TargetRecord,
  workingPhases,
} from "../../shared/core/record/record.ts";
import { runColumns, targetColumns } from "../../shared/stores/table/columns.ts";
import { fullRun, fullTarget } from "./full-records.ts";

/** Takes six times as much in JSON. */
const endless = "\u0001".repeat(40_000);
const full = fullTarget("db");
const at = "2026-03-01T10:00:00.000Z";

const stored = (changed: Partial<TargetRecord>): TargetRecord =>
  targetColumns.read(targetColumns.write({ ...full, ...changed }));

const phases = Array.from({ length: 1_000 }, (_, index) => ({
  phase: workingPhases[index % 6] ?? "staging",
  startedAt: at,
  endedAt: at,
}));

const note = (id: number, data: Notification["data"] = {}, toldTo: readonly string[] = []) => ({
  id: String(id),
  type: "alarm" as const,
  targetId: "db",
  at,
  data,
  toldTo,
});

describe("a record that is too large for the store", () => {
  it("is not changed while it is small enough", () => {
    expect(stored({})).toStrictEqual(full);
  });

  it.each<[string, Partial<TargetRecord>]>([
    ["the last failure", { lastFailure: { ...full.lastFailure, message: endless } }],
    [
      "the open rotation",
      {
        rotation: {
          ...full.rotation,
          why: endless,
          requestedBy: endless,
          heldBy: endless,
          leftUndone: { ...full.lastFailure, message: endless },
          phases,
        },
      },
    ],
    [
      "the request",
      { request: { ...full.request, requestedBy: endless, heldBy: endless, why: endless } },
    ],
    ["a lifted freeze", { request: { ...full.request, lift: { by: endless, why: endless, at } } }],
    ["the next try", { again: { ...full.again, why: endless, heldBy: endless } }],
    ["the check", { check: { at, why: endless, failures: 1 } }],
    ["the exposure", { exposure: { ...full.exposure, by: endless, from: endless } }],
    ["the last user", { lastUsedBy: endless }],
    ["the reason of the due moment", { dueReason: endless }],
    ["the policy", { policyWhy: endless }],
  ])("shortens the texts of %s and keeps everything else", (_which, changed) => {
    const read = stored(changed);
    const [field = ""] = Object.keys(changed);
    const withoutTexts = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value, (key, one: unknown) =>
          typeof one === "string" && one.startsWith("\u0001") ? "text" : key === "phases" ? 0 : one,
        ),
      );
    expect(withoutTexts(read)).toEqual(withoutTexts({ ...full, ...changed }));
    const length = JSON.stringify(read[field as keyof TargetRecord]).length;
    expect(length).toBeLessThanOrEqual(32_000);
  });

  it("keeps the latest phases of the rotation", () => {
    const { rotation } = stored({ rotation: { ...full.rotation, phases } });
    expect(rotation).toStrictEqual({ ...full.rotation, phases: phases.slice(-6) });
  });

  it("drops explanations that stay too long", () => {
    const passedOver = Array.from({ length: 300 }, () => ({ at, why: endless.slice(0, 500) }));
    const policiesPassedOver = passedOver.map(({ why }) => ({ policy: "p", why }));
    const { passedOver: _p, policiesPassedOver: _o, ...rest } = full;
    expect(stored({ passedOver, policiesPassedOver })).toStrictEqual(rest);
  });

  it("keeps the latest notifications", () => {
    const many = Array.from({ length: 60 }, (_, id) =>
      note(id, { message: endless.slice(0, 2_000) }),
    );
    const { outbox } = stored({ outbox: many });
    expect(outbox.map(({ id }) => id)).toEqual(many.slice(-10).map(({ id }) => id));
    expect(outbox.at(-1)?.data["message"]).toBe(endless.slice(0, 100));
  });

  it("drops the receivers of a notification, and a notification that is too long itself", () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `webhook ${index}`);
    expect(stored({ outbox: [note(1), note(2, {}, names)] }).outbox).toEqual([
      { id: "2", type: "alarm", targetId: "db", at, data: {} },
    ]);
    const fields = Object.fromEntries(names.map((name) => [name, name]));
    expect(stored({ outbox: [note(1), note(2, fields)] }).outbox).toEqual([]);
  });

  it.each<[keyof TargetRecord, Partial<TargetRecord>]>([
    ["slots", { slots: Array.from({ length: 1_000 }, () => ({ account: "a".repeat(40) })) }],
    ["published", { published: { ...full.published, name: endless } }],
    ["retirement", { retirement: { ...full.retirement, account: endless } }],
    ["refusals", { refusals: [{ account: endless, version: "1", at }] }],
    ["claim", { claim: { fence: 1, owner: endless } }],
    ["active", { active: endless }],
    ["rotation", { rotation: { ...full.rotation, account: endless } }],
  ])("is refused rather than stored without its %s", (field, changed) => {
    expect(() => stored(changed)).toThrow(`its ${field} has`);
  });
});

describe("a row of the history that is too large for the store", () => {
  it("shortens its texts and keeps the latest phases", () => {
    const run = fullRun("db", "01A");
    const failure = { ...run.failure, message: endless };
    const large = {
      ...run,
      why: endless,
      requestedBy: endless,
      dueReason: endless,
      failure,
      phases,
    };
    const read = runColumns.read(runColumns.write(large));
    const short = endless.slice(0, 1_000);
    expect(read).toEqual({
      ...run,
      ...{ why: short, requestedBy: short, dueReason: short },
      failure: { ...failure, message: short },
      phases: phases.slice(-6),
    });
  });
});

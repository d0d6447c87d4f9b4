import { expect, test } from "vitest";
import { z } from "zod";
import { recordSchema, type Rotation } from "../../shared/core/record/record.ts";
import { newRecord } from "../../shared/core/record/rotation.ts";
import { breachRecord, itemRecord } from "../../shared/stores/table/breach-columns.ts";
import { alarmColumns, runColumns, targetColumns } from "../../shared/stores/table/columns.ts";
import { alarmRecord, runRecord, targetRecord } from "../../shared/stores/table/records.ts";
import { runSteps, targetSteps } from "../../shared/stores/table/upgrade.ts";
import { listFields } from "./fields.ts";
import { fullAlarm, fullRun, fullTarget, leanRun } from "./full-records.ts";
import { getPath, samples } from "./samples.ts";

const id = "01JNN000000000000000000000";
const versions = Array.from({ length: recordSchema }, (_, index) => index + 1);
const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

test.each(samples)("%s, of schema %i, is read as the newest version", (_name, _version, sample) => {
  for (const record of [sample.target, sample.leanTarget].map((row) => targetColumns.read(row))) {
    expect(record).toMatchObject({ schema: recordSchema, targetId: "orders-db" });
    expect(targetColumns.read(targetColumns.write(record))).toStrictEqual(record);
  }
  for (const run of [sample.run, sample.leanRun].map((row) => runColumns.read(row))) {
    expect(run).toMatchObject({ schema: recordSchema, rotationId: id });
    expect(runColumns.read(runColumns.write(run))).toStrictEqual(run);
  }
  expect(alarmColumns.read(sample.alarm)).toMatchObject({ kind: "poisoned", targetId: "db" });
});

test.each(samples)("%s, of schema %i, keeps every value it held", (_name, _version, sample) => {
  const parsed = (column: unknown): unknown =>
    typeof column === "string" && /^[[{]/.test(column) ? JSON.parse(column) : column;
  const rows = [
    [sample.target, targetColumns.read(sample.target)],
    [sample.leanTarget, targetColumns.read(sample.leanTarget)],
    [sample.run, runColumns.read(sample.run)],
    [sample.leanRun, runColumns.read(sample.leanRun)],
  ] as const;
  for (const [{ schema: _, ...columns }, record] of rows) {
    const held = Object.entries(columns).map(([name, column]) => [name, parsed(column)]);
    expect(record).toMatchObject(Object.fromEntries(held));
  }
});

test("there is a sample of every version, and a step to the next one", () => {
  expect(new Set(samples.map(([, version]) => version))).toEqual(new Set(versions));
  for (const steps of [targetSteps, runSteps]) {
    expect(Object.keys(steps).map(Number)).toEqual(versions.slice(0, -1));
  }
});

/**
 * If this fails, a field of a stored record was added, removed or changed. Once the newest version has been released, raise
 * `recordSchema`, add a step to `stores/table/upgrade.ts`, and keep the sample of the version before. Until then, run the test
 * with `-u`.
 */
test("the sample and the list of fields have exactly the fields of the newest version", async () => {
  const sample = {
    target: targetColumns.write(fullTarget("orders-db")),
    leanTarget: targetColumns.write(newRecord("orders-db")),
    run: runColumns.write(fullRun("orders-db", id)),
    leanRun: runColumns.write(leanRun("orders-db", id)),
    alarm: alarmColumns.write(fullAlarm("01JNN000000000000000000001", "2026-03-01T10:20:00.000Z")),
  };
  const fields = [
    ...listFields("target", targetRecord),
    ...listFields("run", runRecord),
    ...listFields("alarm", alarmRecord),
    ...listFields("breach", breachRecord),
    ...listFields("breach target", itemRecord),
  ];
  await expect(json(sample)).toMatchFileSnapshot(getPath(`schema-${recordSchema}.json`));
  await expect(`${fields.join("\n")}\n`).toMatchFileSnapshot(getPath(`fields-${recordSchema}.txt`));
});

test("the list of fields says for each field whether it may be missing, and its type", () => {
  const record = z.strictObject({
    at: z.iso.datetime(),
    kind: z.enum(["a", "b"]),
    list: z.exactOptional(z.array(z.strictObject({ n: z.int() }))),
  });
  expect(listFields("x", record)).toEqual([
    "x.at: string date-time",
    "x.kind: string a|b",
    "x.list?: array",
    "x.list[].n: integer",
  ]);
});

test("an open rotation of the first version gets the furthest phase that it is known to have reached", () => {
  const upgraded = (rotation: object) => {
    const columns = { ...targetColumns.write(newRecord("orders-db")), schema: 1 };
    const { rotation: full } = fullTarget("orders-db");
    const { furthest: _f, why: _w, policyFingerprint: _p, ...old } = { ...full, ...rotation };
    return targetColumns.read({ ...columns, rotation: JSON.stringify(old) }).rotation;
  };
  const at = "2026-03-01T10:00:00.000Z";
  const phases = ["staging", "applying", "publishing"].map((phase) => ({ phase, startedAt: at }));
  const cases: [object, Rotation["furthest"]][] = [
    [{ phase: "staging", phases: [] }, "staging"],
    [{ phase: "applying", phases }, "publishing"],
    [{ phase: "checking", phases }, "checking"],
    [{ phase: "blocked", phases: [] }, "applying"],
  ];
  for (const [rotation, furthest] of cases) {
    expect(upgraded(rotation)).toMatchObject({ furthest, policyFingerprint: "unknown" });
  }
});

test.each([undefined, 0, -1, 1.5, "1", Number.NaN])("a row of schema %s is damaged", (schema) => {
  const { schema: _, ...columns } = targetColumns.write(newRecord("orders-db"));
  const row = schema === undefined ? columns : { ...columns, schema };
  expect(() => targetColumns.read(row)).toThrow(
    "The journal's row of target orders-db cannot be read: schema. Correct the row, or restore it from a backup.",
  );
});

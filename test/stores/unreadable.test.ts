import { expect, test } from "vitest";
import { recordSchema } from "../../shared/core/record/record.ts";
import { newRecord } from "../../shared/core/record/rotation.ts";
import { JournalUnavailableError, UnreadableRowError } from "../../shared/stores/journal.ts";
import {
  alarmColumns,
  freezeColumns,
  readAlarms,
  readFreezes,
  readListing,
  readRuns,
  runColumns,
  targetColumns,
} from "../../shared/stores/table/columns.ts";
import { fullAlarm, fullFreeze, fullRun, leanRun } from "./full-records.ts";

const next = recordSchema + 1;
const newer = `was written by a newer version of Keyturn (schema ${next}; this instance knows ${recordSchema}). Finish the deployment.`;
const at = "2026-03-01T10:00:00.000Z";

test("a row of a newer version is distinguished from a damaged one and from an unavailable journal", () => {
  const columns = targetColumns.write(newRecord("orders-db"));
  const errorOf = (changed: Record<string, unknown>): unknown => {
    try {
      return targetColumns.read({ ...columns, ...changed });
    } catch (error) {
      return error;
    }
  };
  const future = errorOf({ schema: next, slots: "of another shape" });
  expect(future).toBeInstanceOf(UnreadableRowError);
  expect(future).toBeInstanceOf(JournalUnavailableError);
  expect(future).toMatchObject({
    isNewer: true,
    message: `The journal's row of target orders-db ${newer}`,
  });
  expect(errorOf({ claim: "{" })).toMatchObject({
    isNewer: false,
    message:
      "The journal's row of target orders-db cannot be read: claim. Correct the row, or restore it from a backup.",
  });
});

test("a target that cannot be read does not hide the others, and says why", () => {
  const row = (id: string) => targetColumns.write(newRecord(id));
  const listing = readListing([
    ["a", row("a")],
    ["b", { ...row("b"), schema: next }],
    ["c", { ...row("c"), outbox: "[7]" }],
    ["d", row("d")],
  ]);
  expect(listing).toStrictEqual({
    records: [newRecord("a"), newRecord("d")],
    unreadable: [
      { id: "b", why: `The journal's row of target b ${newer}`, isNewer: true },
      {
        id: "c",
        why: "The journal's row of target c cannot be read: outbox.0. Correct the row, or restore it from a backup.",
        isNewer: false,
      },
    ],
  });
});

test("a rotation that cannot be read keeps its place in the history and says why", () => {
  const [first, last] = [leanRun("db", "01A"), fullRun("db", "01C")];
  const future = { ...runColumns.write(leanRun("db", "01B")), schema: next };
  const rows = readRuns("db", [
    ["01C", runColumns.write(last)],
    ["01B", future],
    ["01A", runColumns.write(first)],
  ]);
  const why = `The journal's row of rotation 01B ${newer}`;
  expect(rows).toStrictEqual([
    last,
    { targetId: "db", rotationId: "01B", state: "unreadable", why },
    first,
  ]);
});

test("an alarm that cannot be read does not hide the others, and is listed as an alarm", () => {
  const alarm = fullAlarm("1", at);
  const rows = readAlarms([
    [at, "row-2", { ...alarmColumns.write(alarm), id: "2", at: "yesterday" }],
    [at, "row-1", alarmColumns.write(alarm)],
    [at, "row-3", { ...alarmColumns.write(alarm), schema: next }],
  ]);
  expect(rows).toMatchObject([
    {
      id: "row-2",
      at,
      kind: "unreadable",
      message:
        "The journal's row of alarm 2 cannot be read: at. Correct the row, or restore it from a backup.",
    },
    alarm,
    { id: "row-3", at, kind: "unreadable", message: `The journal's row of alarm 1 ${newer}` },
  ]);
});

test("a freeze that cannot be read counts as a freeze of every target until a person ends it", () => {
  const readable = fullFreeze("01A");
  const [first, second] = readFreezes([
    ["01A", { ...freezeColumns.write(readable), newColumn: "of a newer version" }],
    ["01B", { ...freezeColumns.write(fullFreeze("01B")), selection: "{" }],
  ]);
  expect(first).toStrictEqual(readable);
  expect(second).toStrictEqual({
    id: "01B",
    at: "1970-01-01T00:00:00.000Z",
    by: "Keyturn",
    reason:
      "The journal's row of freeze 01B cannot be read: selection. Correct the row, or restore it from a backup.",
    from: "1970-01-01T00:00:00.000Z",
    until: "9999-12-31T23:59:59.999Z",
    lift: ["exposure", "breach"],
    selection: {},
  });
});

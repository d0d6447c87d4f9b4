import { odata, type TableClient } from "@azure/data-tables";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LeaseLostError } from "../../../shared/core/errors.ts";
import { recordSchema } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { UnreadableRowError } from "../../../shared/stores/journal.ts";
import { toPartition } from "../../../shared/stores/table/row-keys.ts";
import { type AzuriteTables, azuriteTables, catchFailure } from "../../stores/azurite-tables.ts";
import { fullAlarm, fullRun, fullTarget, leanRun } from "../../stores/full-records.ts";
import { samples } from "../../stores/samples.ts";
import { dueIds } from "./due-ids.ts";
import { journalSuite } from "./journal.suite.ts";

const noon = "2026-03-01T12:00:00.000Z";
const later = "2026-03-01T13:00:00.000Z";

let tables: AzuriteTables;
beforeAll(async () => {
  tables = await azuriteTables();
});
afterAll(() => tables.close());

journalSuite("the journal in Table storage", () => tables.open().journal, 100);

async function listRows(client: TableClient, filter?: string) {
  const rows: Record<string, unknown>[] = [];
  const options = filter === undefined ? {} : { queryOptions: { filter } };
  for await (const row of client.listEntities(options)) rows.push(row);
  return rows;
}

const listKeys = (rows: Record<string, unknown>[]) =>
  rows.map((row) => String(row["rowKey"])).sort();

describe("rows of the journal, seen with a plain client", () => {
  it("are in one partition for one target, and hold plain columns a person can read", async () => {
    const { client, journal } = tables.open();
    const record = fullTarget("orders-db");
    const runs = [fullRun("orders-db", "01JNN000000000000000000000")];
    const request = { key: "a/b", answer: "{}", asked: "operator" };
    await journal.commit({ record, etag: undefined, wakeAt: noon, runs, request });

    const rows = await listRows(client);
    expect(new Set(rows.map((row) => row["partitionKey"]))).toEqual(
      new Set([toPartition("orders-db")]),
    );
    expect(listKeys(rows)).toStrictEqual([
      `due:${noon}:orders-db`,
      expect.stringMatching(/^key:orders-db:[0-9a-f]{64}$/),
      expect.stringMatching(/^run:orders-db:[\w-]{26}~$/),
      "target:orders-db",
    ]);
    const target = rows.find((row) => row["rowKey"] === "target:orders-db");
    expect(target).toMatchObject({
      schema: recordSchema,
      targetId: "orders-db",
      health: "failing",
      active: "orders_a",
      failures: 2,
      nextDue: record.nextDue,
      dueReason: "every 90d",
      wakeAt: noon,
      claim: JSON.stringify(record.claim),
      rotation: JSON.stringify(record.rotation),
    });
    expect(rows.find((row) => "state" in row)).toMatchObject({
      schema: recordSchema,
      state: "failed",
    });
  });

  it("spread over sixteen partitions", () => {
    const partitions = Array.from({ length: 500 }, (_, index) => toPartition(`target-${index}`));
    expect(new Set(partitions).size).toBe(16);
    expect(toPartition("orders-db")).toBe("targets-10");
  });

  it("hold one due row for a target, moved and removed with it", async () => {
    const { client, journal } = tables.open();
    const record = newRecord("moved");
    const due = async () =>
      listKeys(await listRows(client, odata`RowKey ge ${"due:"} and RowKey lt ${"due;"}`));
    let etag = await journal.commit({ record, etag: undefined, wakeAt: noon });
    expect(await due()).toStrictEqual([`due:${noon}:moved`]);
    etag = await journal.commit({ record, etag, wakeAt: later });
    expect(await due()).toStrictEqual([`due:${later}:moved`]);
    const stale = etag;
    etag = await journal.commit({ record, etag, wakeAt: later });
    const lost = journal.commit({ record, etag: stale, wakeAt: noon });
    await expect(lost).rejects.toThrow(LeaseLostError);
    expect(await due()).toStrictEqual([`due:${later}:moved`]);
    await journal.commit({ record, etag, wakeAt: undefined });
    expect(await due()).toStrictEqual([]);
  });

  it("finds due rows of an earlier version without marks", async () => {
    const { client, journal } = tables.open();
    await journal.commit({ record: newRecord("old"), etag: undefined, wakeAt: noon });
    const row = { partitionKey: toPartition("old"), rowKey: `due:${noon}:old` };
    await client.updateEntity({ ...row, targetId: "old", wakeAt: noon }, "Replace");
    expect(await journal.due(noon, 10)).toStrictEqual([
      { targetId: "old", wakeAt: noon, sent: 0, isFirst: false },
    ]);
  });

  it("keep the target working after a person removes a due row", async () => {
    const { client, journal } = tables.open();
    const record = newRecord("robbed");
    let etag = await journal.commit({ record, etag: undefined, wakeAt: noon });
    const remove = (wakeAt: string) =>
      client.deleteEntity(toPartition("robbed"), `due:${wakeAt}:robbed`);
    await remove(noon);
    etag = await journal.commit({ record, etag, wakeAt: later });
    expect(await dueIds(journal, later, 10)).toStrictEqual(["robbed"]);
    await remove(later);
    etag = await journal.commit({ record, etag, wakeAt: later });
    expect(await dueIds(journal, later, 10)).toStrictEqual(["robbed"]);
    await remove(later);
    await journal.commit({ record, etag, wakeAt: undefined });
    expect(await dueIds(journal, later, 10)).toStrictEqual([]);
  });

  it("of a removed target do not bring it back", async () => {
    const { client, journal } = tables.open();
    const record = newRecord("removed");
    const etag = await journal.commit({ record, etag: undefined, wakeAt: noon });
    await client.deleteEntity(toPartition("removed"), "target:removed");
    await expect(journal.commit({ record, etag, wakeAt: later })).rejects.toThrow(LeaseLostError);
  });

  it("of a newer version are refused with an explanation, and neither misread nor overwritten", async () => {
    const { client, journal } = tables.open();
    const etag = await journal.commit({
      record: newRecord("future"),
      etag: undefined,
      wakeAt: noon,
      runs: [leanRun("future", "01A")],
    });
    await journal.commit({ record: newRecord("now"), etag: undefined, wakeAt: noon });
    const newerRows = odata`RowKey eq ${"target:future"} or (RowKey ge ${"run:"} and RowKey lt ${"run;"})`;
    for (const row of await listRows(client, newerRows)) {
      const [partitionKey, rowKey] = [String(row["partitionKey"]), String(row["rowKey"])];
      await client.updateEntity({ partitionKey, rowKey, schema: recordSchema + 1 }, "Merge");
    }
    const stored = await listRows(client, newerRows);
    const newer = `was written by a newer version of Keyturn (schema ${recordSchema + 1}; this instance knows ${recordSchema}). Finish the deployment.`;
    expect(await journal.targets()).toStrictEqual({
      records: [newRecord("now")],
      unreadable: [
        { id: "future", why: `The journal's row of target future ${newer}`, isNewer: true },
      ],
    });
    const questions = [() => journal.read("future"), () => journal.run("future", "01A")];
    for (const ask of questions) {
      const error = await catchFailure(ask());
      expect(error).toBeInstanceOf(UnreadableRowError);
      expect(String(error)).toContain(newer);
    }
    for (const stale of [etag, undefined]) {
      const write = { record: newRecord("future"), etag: stale, wakeAt: undefined };
      await expect(journal.commit(write)).rejects.toThrow(LeaseLostError);
    }
    expect(await listRows(client, newerRows)).toEqual(stored);
    expect((await dueIds(journal, noon, 9)).toSorted()).toEqual(["future", "now"]);
  });

  it("that cannot be read do not hide the rest of a history or other alarms", async () => {
    const { client, journal } = tables.open();
    const ids = ["01A", "01B", "01C"];
    const runs = ids.map((id) => leanRun("mixed", id));
    await journal.commit({ record: newRecord("mixed"), etag: undefined, wakeAt: undefined, runs });
    for (const index of [1, 2, 3]) {
      await journal.raise(fullAlarm(`${index}`, `2026-03-01T12:00:0${index}.000Z`));
    }
    const rows = await listRows(client);
    const change = async (find: (row: Record<string, unknown>) => boolean, columns: object) => {
      const row = rows.find(find);
      const [partitionKey, rowKey] = [String(row?.["partitionKey"]), String(row?.["rowKey"])];
      await client.updateEntity({ partitionKey, rowKey, ...columns }, "Merge");
    };
    await change((row) => row["rotationId"] === "01B", { schema: recordSchema + 1, state: "odd" });
    await change((row) => row["id"] === "2", { kind: 7 });
    const listed = await journal.runs("mixed", 10);
    expect(listed.map(({ rotationId, state }) => [rotationId, state])).toEqual([
      ["01C", "queued"],
      ["01B", "unreadable"],
      ["01A", "queued"],
    ]);
    expect((await journal.alarms(10)).map(({ at, kind }) => [at, kind])).toEqual([
      ["2026-03-01T12:00:03.000Z", "poisoned"],
      ["2026-03-01T12:00:02.000Z", "unreadable"],
      ["2026-03-01T12:00:01.000Z", "poisoned"],
    ]);
  });

  it.each(samples)(
    "written as in %s are read, and written anew",
    async (_name, _version, sample) => {
      const { client, journal } = tables.open();
      await journal.read("orders-db");
      const partitionKey = toPartition("orders-db");
      await client.createEntity({ partitionKey, rowKey: "target:orders-db", ...sample.target });
      const found = await journal.read("orders-db");
      if (!found) throw new Error("the target is gone");
      await journal.commit({ ...found, wakeAt: undefined });
      expect((await journal.read("orders-db"))?.record).toStrictEqual(found.record);
      const [row] = await listRows(client, odata`RowKey eq ${"target:orders-db"}`);
      expect(row?.["schema"]).toBe(recordSchema);
    },
  );

  it("damaged by hand are refused with the name of the column", async () => {
    const { client, journal } = tables.open();
    await journal.commit({ record: newRecord("damaged"), etag: undefined, wakeAt: undefined });
    const key = { partitionKey: toPartition("damaged"), rowKey: "target:damaged" };
    await client.updateEntity({ ...key, claim: "{" }, "Merge");
    await expect(journal.read("damaged")).rejects.toThrow(/cannot be read: claim/);
  });
});

describe("a history of thousands", () => {
  it("is queried only for the rows that are shown", async () => {
    const proxy = await tables.proxied();
    const { client, journal } = tables.open({ connectionString: proxy.connectionString });
    const record = newRecord("old");
    let etag = await journal.commit({ record, etag: undefined, wakeAt: undefined });
    for (let batch = 0; batch < 25; batch += 1) {
      const runs = Array.from({ length: 90 }, (_, index) => {
        const id = `01JNN${String(batch * 90 + index).padStart(21, "0")}`;
        return leanRun("old", id);
      });
      etag = await journal.commit({ record, etag, wakeAt: undefined, runs });
    }
    expect(await listRows(client)).toHaveLength(25 * 90 + 1);
    const asked = proxy.seen.length;
    const newest = await journal.runs("old", 5);
    expect(newest.map((run) => run.rotationId.slice(-4))).toStrictEqual([
      "2249",
      "2248",
      "2247",
      "2246",
      "2245",
    ]);
    expect(proxy.seen.slice(asked)).toStrictEqual([expect.stringContaining("top=5")]);
    expect(await journal.runs("old", 10_000)).toHaveLength(25 * 90);
    await proxy.close();
  });
});

describe("a sweep", () => {
  it("queries each shard once for due targets, however many targets sleep", async () => {
    const proxy = await tables.proxied();
    const { journal } = tables.open({ connectionString: proxy.connectionString });
    const commit = (targetId: string, wakeAt: string | undefined) =>
      journal.commit({ record: newRecord(targetId), etag: undefined, wakeAt });
    for (let batch = 0; batch < 10; batch += 1) {
      const ids = Array.from({ length: 20 }, (_, index) => `t-${batch * 20 + index}`);
      await Promise.all(ids.map((id) => commit(id, batch % 2 === 0 ? later : undefined)));
    }
    await Promise.all(["due-1", "due-2"].map((id) => commit(id, noon)));
    const [asked, received] = [proxy.seen.length, proxy.received()];
    expect((await dueIds(journal, noon, 100)).toSorted()).toStrictEqual(["due-1", "due-2"]);
    expect(proxy.seen.slice(asked)).toHaveLength(16);
    expect(proxy.received() - received).toBeLessThan(16 * 500);
    await proxy.close();
  });
});

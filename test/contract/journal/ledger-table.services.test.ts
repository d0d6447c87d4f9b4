import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toLines, toStartLine } from "../../../shared/core/ledger/lines.ts";
import { verifyLines } from "../../../shared/core/ledger/verify.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { sealLedger } from "../../../shared/engine/ledger/seal.ts";
import type { Journal } from "../../../shared/stores/journal.ts";
import { ledgerPartition, segmentRow, toPartition } from "../../../shared/stores/table/row-keys.ts";
import { makeEntry } from "../../core/ledger/exports.ts";
import { type AzuriteTables, azuriteTables } from "../../stores/azurite-tables.ts";
import { leanFreeze } from "../../stores/full-records.ts";
import { ledgerSuite } from "./ledger.suite.ts";

let tables: AzuriteTables;
beforeAll(async () => {
  tables = await azuriteTables();
});
afterAll(() => tables.close());

ledgerSuite("the ledger in Table storage", () => tables.open().journal);

async function readExport({ ledger }: Journal): Promise<string[]> {
  const segments = await ledger.segments(1, 10);
  return [toStartLine(await ledger.start()), ...segments.flatMap(toLines)];
}

async function sealed(ids: readonly string[]) {
  const opened = tables.open();
  await opened.journal.ledger.log(ids.map((id) => makeEntry(id)));
  await sealLedger(opened.journal);
  return opened;
}

describe("rows of the ledger, seen with a plain client", () => {
  it("are in the partition of their effect until they are sealed", async () => {
    const { client, journal } = tables.open();
    const entries = [makeEntry("E1")];
    await journal.commit({ record: newRecord("app"), etag: undefined, wakeAt: undefined, entries });
    const rowKey = `entry:${entries[0]?.at ?? ""}:E1`;
    const row = await client.getEntity(toPartition("app"), rowKey);
    expect(JSON.parse(String(row["entry"]))).toEqual(entries[0]);
    await sealLedger(journal);
    await expect(client.getEntity(toPartition("app"), rowKey)).rejects.toThrow();
    const kept = await client.getEntity(ledgerPartition, segmentRow(1, 1));
    expect(kept).toMatchObject({
      sequence: 1,
      entry: row["entry"],
      place: `${toPartition("app")}/${rowKey}`,
    });
  });

  it("show in an export what was changed or removed in the table", async () => {
    const { client, journal } = await sealed(["E1", "E2", "E3"]);
    expect((await verifyLines(await readExport(journal))).problem).toBeUndefined();
    const rowKey = segmentRow(1, 2);
    const row = await client.getEntity(ledgerPartition, rowKey);
    const entry = String(row["entry"]).replace("anna", "mallory");
    await client.updateEntity({ partitionKey: ledgerPartition, rowKey, entry }, "Merge");
    expect((await verifyLines(await readExport(journal))).problem).toMatchObject({
      kind: "altered",
      sequence: 2,
    });
    await client.updateEntity({ partitionKey: ledgerPartition, rowKey, entry: "{" }, "Merge");
    expect((await verifyLines(await readExport(journal))).problem).toMatchObject({ sequence: 2 });
    await client.deleteEntity(ledgerPartition, rowKey);
    expect((await verifyLines(await readExport(journal))).problem).toMatchObject({
      kind: "removed",
      sequence: 2,
    });
  });

  it("say that a head is damaged, and the ledger waits for a person", async () => {
    const { client, journal } = await sealed(["E1"]);
    const rowKey = segmentRow(1, 0);
    await client.updateEntity({ partitionKey: ledgerPartition, rowKey, hash: "x" }, "Merge");
    await journal.ledger.log([makeEntry("E2")]);
    await expect(sealLedger(journal)).rejects.toThrow("The head of segment 1 of the ledger");
    expect((await journal.ledger.unsealed(9)).map(({ entry }) => entry.id)).toEqual(["E2"]);
    expect((await verifyLines(await readExport(journal))).problem?.kind).toBe("reordered");
  });

  it("let a damaged entry that waits not stop the others", async () => {
    const { client, journal } = tables.open();
    await journal.ledger.log([makeEntry("E1"), makeEntry("E2")]);
    const rowKey = `entry:${makeEntry("E1").at}:E1`;
    await client.updateEntity({ partitionKey: ledgerPartition, rowKey, entry: "?" }, "Merge");
    await sealLedger(journal);
    const [segment] = await journal.ledger.segments(1, 1);
    expect(segment?.entries.map(({ entry }) => entry)).toMatchObject([
      { id: "E1", action: "ledger.damage", outcome: "failed" },
      { id: "E2" },
    ]);
  });

  it("never let a forged place remove rows that are no entries", async () => {
    const { client, journal } = await sealed(["E1"]);
    await journal.commit({ record: newRecord("app"), etag: undefined, wakeAt: undefined });
    const rowKey = segmentRow(1, 1);
    const place = `${toPartition("app")}/target:app`;
    await client.updateEntity({ partitionKey: ledgerPartition, rowKey, place }, "Merge");
    await journal.ledger.clear(1);
    expect(await journal.read("app")).toBeDefined();
  });
});

describe("a reply that is lost", () => {
  it("doubles no entry, whatever was sealed meanwhile", async () => {
    const proxy = await tables.proxied();
    const { journal, table } = tables.open({ connectionString: proxy.connectionString });
    const direct = tables.open({ table }).journal;
    await direct.ledger.log([makeEntry("E0")]);
    const writes: ((id: string) => Promise<unknown>)[] = [
      (id) => journal.ledger.log([makeEntry(id)]),
      (id) => journal.putFreeze(leanFreeze("01JNN1"), [makeEntry(id)]),
      (id) =>
        journal.commit({
          record: newRecord("app"),
          etag: undefined,
          wakeAt: undefined,
          entries: [makeEntry(id)],
        }),
    ];
    for (const [index, write] of writes.entries()) {
      proxy.loseReply(/batch/, 1, () => sealLedger(direct));
      await write(`E${index + 1}`);
      await sealLedger(direct);
    }
    await proxy.close();
    const segments = await direct.ledger.segments(1, 10);
    expect(segments.flatMap(({ entries }) => entries.map(({ entry }) => entry.id))).toEqual([
      ...["E0", "E1", "E2", "E3"],
    ]);
  });
});

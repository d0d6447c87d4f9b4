import { inspect } from "node:util";
import type { TableClient } from "@azure/data-tables";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError, LeaseLostError } from "../../../shared/core/errors.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { type Journal, JournalUnavailableError } from "../../../shared/stores/journal.ts";
import { toPartition } from "../../../shared/stores/table/row-keys.ts";
import { makeTableJournal } from "../../../shared/stores/table/table-journal.ts";
import { type AzuriteTables, azuriteTables, catchFailure } from "../../stores/azurite-tables.ts";
import { getPart, movedTo } from "../../stores/connection-strings.ts";
import { dueIds } from "./due-ids.ts";

const noon = "2026-03-01T12:00:00.000Z";
const later = "2026-03-01T13:00:00.000Z";

let tables: AzuriteTables;
beforeAll(async () => {
  tables = await azuriteTables();
});
afterAll(() => tables.close());

describe("a reply lost after the transaction took effect", () => {
  let proxy: Awaited<ReturnType<AzuriteTables["proxied"]>>;
  let journal: Journal;
  let client: TableClient;
  beforeAll(async () => {
    proxy = await tables.proxied();
    ({ client, journal } = tables.open({ connectionString: proxy.connectionString }));
  });
  afterAll(() => proxy.close());

  it("is no lost lease: an insert succeeds and its etag is good", async () => {
    proxy.loseReply(/batch/);
    const record = newRecord("inserted");
    const etag = await journal.commit({ record, etag: undefined, wakeAt: noon });
    expect(await journal.read("inserted")).toStrictEqual({ record, etag });
    await journal.commit({ record, etag, wakeAt: later });
    expect(await dueIds(journal, later, 10)).toStrictEqual(["inserted"]);
  });

  it("is no lost lease: a replacement succeeds and its etag is good", async () => {
    const record = { ...newRecord("replaced"), failures: 1 };
    let etag = await journal.commit({ record, etag: undefined, wakeAt: noon });
    proxy.loseReply(/batch/, 2);
    etag = await journal.commit({ record: { ...record, failures: 2 }, etag, wakeAt: undefined });
    expect((await journal.read("replaced"))?.record.failures).toBe(2);
    await journal.commit({ record, etag, wakeAt: undefined });
  });

  it("is no lost lease when the old due row had vanished too", async () => {
    const record = newRecord("unlucky");
    const etag = await journal.commit({ record, etag: undefined, wakeAt: noon });
    await client.deleteEntity(toPartition("unlucky"), `due:${noon}:unlucky`);
    proxy.loseReply(/batch/, 2);
    const next = await journal.commit({ record, etag, wakeAt: later });
    expect((await journal.read("unlucky"))?.etag).toBe(next);
  });

  it("proves nothing when a gateway gave it, because the row may exist", async () => {
    const record = newRecord("hidden");
    const etag = await journal.commit({ record, etag: undefined, wakeAt: noon });
    for (const status of [403, 404, 412]) {
      proxy.answerPage(/batch/, status, Infinity);
      const commit = journal.commit({ record, etag, wakeAt: later });
      await expect(commit).rejects.toThrow(JournalUnavailableError);
      proxy.answerPage(/hidden/, status, Infinity);
      await expect(journal.read("hidden")).rejects.toThrow(JournalUnavailableError);
    }
    proxy.answerPage(/$^/, 404, 0);
    expect(await journal.read("hidden")).toStrictEqual({ record, etag });
  });

  it("succeeds even when every reply is lost until the client times out", async () => {
    proxy.loseReply(/batch/, 4);
    const record = newRecord("silent");
    const etag = await journal.commit({ record, etag: undefined, wakeAt: undefined });
    expect((await journal.read("silent"))?.etag).toBe(etag);
  });

  it("does not hide a really lost lease", async () => {
    const record = newRecord("beaten");
    const etag = await journal.commit({ record, etag: undefined, wakeAt: undefined });
    await journal.commit({ record: { ...record, failures: 1 }, etag, wakeAt: undefined });
    proxy.loseReply(/batch/);
    const late = journal.commit({ record: { ...record, failures: 2 }, etag, wakeAt: undefined });
    await expect(late).rejects.toThrow(LeaseLostError);
    expect((await journal.read("beaten"))?.record.failures).toBe(1);
  });
});

describe("a table that cannot be reached", () => {
  const key = () => getPart(tables.connectionString, "AccountKey");

  async function expectUnavailable(journal: Journal): Promise<void> {
    const record = newRecord("nobody");
    const asked = [
      journal.read("nobody"),
      journal.commit({ record, etag: undefined, wakeAt: undefined }),
      journal.due(noon, 1),
      journal.targets(),
      journal.run("nobody", "01A"),
      journal.runs("nobody", 1),
      journal.request("nobody", "key"),
      journal.raise({ id: "1", at: noon, kind: "poisoned", message: "m" }),
      journal.alarms(1),
    ];
    for (const error of await Promise.all(asked.map(catchFailure))) {
      expect(error).toBeInstanceOf(JournalUnavailableError);
      expect(String(error)).toMatch(/The journal's table could not be reached: [\w ,-]+\.$/);
      const shown = inspect(error, { depth: 10 });
      expect(shown).not.toContain(key());
      expect(shown).not.toMatch(/SharedKey|authorization:|sig=/i);
    }
  }

  it("reports a refused connection", async () => {
    const proxy = await tables.proxied();
    await proxy.close();
    await expectUnavailable(tables.open({ connectionString: proxy.connectionString }).journal);
  });

  it("reports a table that never answers, after the deadline", async () => {
    const proxy = await tables.proxied();
    proxy.hang(/./);
    const { journal } = tables.open({ connectionString: proxy.connectionString, deadline: 100 });
    await expectUnavailable(journal);
    await proxy.close();
  });

  it("reports a wrong key", async () => {
    const wrong = Buffer.from("wrong").toString("base64");
    const connection = tables.connectionString.replace(key(), wrong);
    await expectUnavailable(tables.open({ connectionString: connection }).journal);
  });

  it("reports a deleted table, and does not treat it as an empty one", async () => {
    const { client, journal } = tables.open();
    await journal.commit({ record: newRecord("kept"), etag: undefined, wakeAt: undefined });
    await client.deleteTable();
    await expectUnavailable(journal);
  });

  it("is tried again later", async () => {
    const proxy = await tables.proxied();
    const { journal } = tables.open({ connectionString: proxy.connectionString, deadline: 300 });
    proxy.hang(/./);
    await expect(journal.read("x")).rejects.toThrow(JournalUnavailableError);
    proxy.hang(/$^/);
    expect(await journal.read("x")).toBeUndefined();
    await proxy.close();
  });

  it("is refused as configuration when keys would be sent unencrypted", () => {
    const away = movedTo(tables.connectionString, "TableEndpoint", "http://10.0.0.1:10002");
    const broken = ["", "nonsense", "AccountName=a;AccountKey=c2VjcmV0", away];
    for (const connection of broken) {
      const open = () => makeTableJournal({ connectionString: connection }, "t");
      expect(open).toThrow(ConfigError);
      expect(open).not.toThrow(/c2VjcmV0/);
    }
    const credential = { getToken: () => Promise.resolve(null) };
    expect(() => makeTableJournal({ endpoint: "http://store.example", credential }, "t")).toThrow(
      ConfigError,
    );
    expect(() =>
      makeTableJournal({ endpoint: "https://store.example", credential }, "t"),
    ).not.toThrow();
    expect(() =>
      makeTableJournal({ connectionString: "UseDevelopmentStorage=true" }, "t"),
    ).not.toThrow();
  });
});

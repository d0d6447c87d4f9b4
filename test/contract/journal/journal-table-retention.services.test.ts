import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordSchema } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { second, toInstant } from "../../../shared/core/time.ts";
import { runRow, toPartition } from "../../../shared/stores/table/row-keys.ts";
import { type AzuriteTables, azuriteTables } from "../../stores/azurite-tables.ts";
import { leanBreach, leanItem } from "../../stores/full-breaches.ts";
import { endedRun, pruneAll, retentionMs, retentionSuite } from "./journal-retention.suite.ts";

let tables: AzuriteTables;
let proxy: Awaited<ReturnType<AzuriteTables["proxied"]>>;
beforeAll(async () => {
  tables = await azuriteTables();
  proxy = await tables.proxied();
});
afterAll(async () => {
  await proxy.close();
  await tables.close();
});

retentionSuite("the retention of the journal in Table storage", async () => {
  const { journal, table } = tables.open({ retentionMs });
  await journal.read("nobody");
  return {
    journal,
    async later(milliseconds) {
      // The service's clock counts, and not the one of this machine.
      proxy.changeDate((date) => new Date(Date.parse(date) + milliseconds).toUTCString());
      const { connectionString } = proxy;
      const aged = tables.open({ connectionString, table, retentionMs }).journal;
      await aged.read("nobody");
      return aged;
    },
  };
});

describe("a step of the retention in Table storage", () => {
  it("takes a page, a query for each target on it, and a transaction", async () => {
    proxy.changeDate((date) => date);
    const { connectionString } = proxy;
    const { journal } = tables.open({ connectionString, retentionMs });
    const now = toInstant(journal.now());
    const runs = Array.from({ length: 95 }, (_, index) => endedRun(now, "costly", 40 + index));
    await journal.commit({ record: newRecord("costly"), etag: undefined, wakeAt: undefined, runs });
    const costs: number[] = [];
    for (let call = 0; call < 19; call++) {
      const asked = proxy.seen.length;
      await journal.prune(100);
      costs.push(proxy.seen.length - asked);
    }
    expect(costs.toSorted((a, b) => b - a)).toEqual([3, ...Array.from({ length: 18 }, () => 1)]);
    expect(await journal.runs("costly", 100)).toHaveLength(1);
  });

  it("leaves rows of a newer version alone", async () => {
    const { journal, client } = tables.open({ retentionMs });
    const now = toInstant(journal.now());
    const runs = [1, 40, 41].map((days) => endedRun(now, "newer", days));
    await journal.commit({ record: newRecord("newer"), etag: undefined, wakeAt: undefined, runs });
    const rowKey = runRow("newer", runs[1]?.rotationId ?? "");
    const partitionKey = toPartition("newer");
    await client.updateEntity({ partitionKey, rowKey, schema: recordSchema + 1 }, "Merge");
    await pruneAll(journal);
    expect((await journal.runs("newer", 9)).map(({ state }) => state)).toEqual([
      "done",
      "unreadable",
    ]);
  });

  it("keeps targets that are older than the retention while their breach is younger", async () => {
    proxy.changeDate((date) => date);
    const { journal, table } = tables.open({ retentionMs });
    const breach = { ...leanBreach("01A"), state: "paused" } as const;
    await journal.addBreach(breach, [leanItem("01A", 1)]);
    const added = Date.now();
    await sleep(4 * second);
    const etag = (await journal.breach("01A"))?.etag ?? "";
    await journal.commitBreach({ breach: { ...breach, state: "ended" }, etag, items: [] });
    // Between the two writes, one retention later.
    const moment = new Date(added + 2 * second + retentionMs).toUTCString();
    proxy.changeDate(() => moment);
    const { connectionString } = proxy;
    const aged = tables.open({ connectionString, table, retentionMs }).journal;
    await aged.read("nobody");
    await pruneAll(aged);
    expect(await aged.breachItems("01A", { limit: 9 })).toHaveLength(1);
    proxy.changeDate((date) => new Date(Date.parse(date) + 2 * retentionMs).toUTCString());
    await aged.read("nobody");
    await pruneAll(aged);
    expect(await aged.breachItems("01A", { limit: 9 })).toEqual([]);
    expect(await aged.breaches(9)).toEqual([]);
  });

  it("removes nothing and does not fail when another instance removes the same rows", async () => {
    const { journal, client, table } = tables.open({ retentionMs });
    const now = toInstant(journal.now());
    const runs = [1, 40, 41].map((days) => endedRun(now, "raced", days));
    await journal.commit({ record: newRecord("raced"), etag: undefined, wakeAt: undefined, runs });
    const others = tables.open({ table, retentionMs }).journal;
    const removed = await Promise.all([pruneAll(journal), pruneAll(others)]);
    expect(removed.flat().reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(await journal.runs("raced", 9)).toHaveLength(1);
    const page = await client.listEntities().byPage().next();
    expect(page.value).toHaveLength(2);
  });
});

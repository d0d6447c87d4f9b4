import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { claimLength, isClaimed, withClaim } from "../../../shared/core/lifecycle/decide.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { hour, minute, second, toInstant } from "../../../shared/core/time.ts";
import type { Journal } from "../../../shared/stores/journal.ts";
import type { MachineClocks } from "../../../shared/stores/table/service-clock.ts";
import { type AzuriteTables, azuriteTables } from "../../stores/azurite-tables.ts";

let tables: AzuriteTables;
let proxy: Awaited<ReturnType<AzuriteTables["proxied"]>>;
beforeAll(async () => {
  tables = await azuriteTables();
});
afterAll(() => tables.close());
beforeEach(async () => {
  proxy = await tables.proxied();
});
afterEach(() => proxy.close());

const shifted = (milliseconds: number) => (date: string) =>
  new Date(Date.parse(date) + milliseconds).toUTCString();

/** Milliseconds by which the clock of the journal is ahead of that of the storage, which is the clock of this machine. */
const openAhead = (journal: Journal) => journal.now().getTime() - Date.now();

/** The storage sends whole seconds, and this machine may be slow. */
const near = 20 * second;

/** A machine whose time of day is wrong. */
const off = (milliseconds: number): MachineClocks => ({
  wall: () => Date.now() + milliseconds,
  steady: () => performance.now(),
});

describe("the clock of the journal", () => {
  it.each([
    ["an hour ahead", hour],
    ["ten minutes behind", -10 * minute],
  ])("is the storage's when that is %s", async (_how, shift) => {
    const { journal } = tables.open({ connectionString: proxy.connectionString });
    proxy.changeDate(shifted(shift));
    expect(Math.abs(openAhead(journal))).toBeLessThan(near);
    expect(await journal.read("nobody")).toBeUndefined();
    expect(Math.abs(openAhead(journal) - shift)).toBeLessThan(near);
  });

  it("is that of the machine when the answers have no date", async () => {
    const { journal } = tables.open({
      connectionString: proxy.connectionString,
      clocks: off(hour),
    });
    proxy.changeDate(() => undefined);
    await journal.read("nobody");
    expect(Math.abs(openAhead(journal) - hour)).toBeLessThan(near);
  });

  it("uses the answers of transactions and of refused requests", async () => {
    const { journal, client } = tables.open({
      connectionString: proxy.connectionString,
      clocks: off(-hour),
    });
    await client.createTable();
    proxy.changeDate(() => undefined);
    await journal.read("nobody");
    expect(Math.abs(openAhead(journal) + hour)).toBeLessThan(near);
    proxy.changeDate((date) => date);
    await journal.commit({ record: newRecord("a"), etag: undefined, wakeAt: undefined });
    expect(Math.abs(openAhead(journal))).toBeLessThan(near);
  });

  it("is not turned back by an answer that is older than an earlier one", async () => {
    const { journal } = tables.open({ connectionString: proxy.connectionString });
    await journal.read("nobody");
    for (const change of [shifted(-hour), () => "yesterday", () => undefined]) {
      proxy.changeDate(change);
      await journal.read("nobody");
      expect(Math.abs(openAhead(journal))).toBeLessThan(near);
    }
  });
});

describe("a claim that is made with the clock of the journal", () => {
  it.each([
    ["an hour ahead of", hour, 0],
    ["ten minutes behind", -10 * minute, 0],
    ["an hour behind, with storage ten minutes ahead of,", -hour, 10 * minute],
  ])("holds when the worker's clock is %s everybody else's", async (_how, wrong, shift) => {
    const { connectionString } = proxy;
    const { journal, table } = tables.open({ connectionString, clocks: off(wrong) });
    const other = tables.open({ connectionString, table }).journal;
    proxy.changeDate(shifted(shift));
    await journal.read("app");
    const record = withClaim(
      newRecord("app"),
      { fence: 1, owner: "worker-1" },
      toInstant(journal.now()),
    );
    await journal.commit({ record, etag: undefined, wakeAt: record.claim.until });
    const seen = (await other.read("app"))?.record;
    if (!seen) throw new Error("the target is gone");
    const now = other.now();
    expect(isClaimed(seen, toInstant(now))).toBe(true);
    const later = new Date(now.getTime() + claimLength + near);
    expect(isClaimed(seen, toInstant(later))).toBe(false);
  });
});

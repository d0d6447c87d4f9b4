import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { LeaseLostError } from "../../../shared/core/errors.ts";
import { recordSchema, type TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { day, minute, plus } from "../../../shared/core/time.ts";
import type { Journal, JournalChange } from "../../../shared/stores/journal.ts";
import { arbitraryTarget } from "../../stores/arbitrary-records.ts";
import { fullRun, fullTarget, leanRun } from "../../stores/full-records.ts";
import { dueIds } from "./due-ids.ts";
import { breachRules } from "./journal-breaches.suite.ts";
import { alarmRules, freezeRules, historyRules, type Insert } from "./journal-history.suite.ts";
import { quiet } from "./quiet.ts";

const noon = "2026-03-01T12:00:00.000Z";
const [before, after] = [plus(noon, -1), plus(noon, 1)];

/** Every rule of the journal's contract. `open` gives an empty journal. */
export function journalSuite(name: string, open: () => Journal, fuzzRuns: number): void {
  describe(name, () => {
    let journal: Journal;
    beforeAll(() => {
      journal = open();
    });

    const insert = (targetId: string, change: Partial<JournalChange> = {}) =>
      journal.commit({
        record: newRecord(targetId),
        etag: undefined,
        wakeAt: undefined,
        ...change,
      });

    targetRules(() => journal, insert, fuzzRuns);
    dueRules(open);
    historyRules(() => journal, insert);
    alarmRules(open);
    freezeRules(open);
    breachRules(open);
  });
}

function targetRules(journal: () => Journal, insert: Insert, fuzzRuns: number): void {
  it("does not know a target that was never written", async () => {
    expect(await journal().read("nobody")).toBeUndefined();
    expect(await journal().read("../Nobody#?")).toBeUndefined();
  });

  it("gives back a record with every field as it was written", async () => {
    const record = fullTarget("full");
    const etag = await insert("full", { record });
    expect(await journal().read("full")).toStrictEqual({ record, etag });
  });

  it("gives back a record with no optional field as it was written", async () => {
    const etag = await insert("lean");
    expect(await journal().read("lean")).toStrictEqual({ record: newRecord("lean"), etag });
  });

  it("forgets the fields that the next record no longer has", async () => {
    const etag = await insert("shrunk", { record: fullTarget("shrunk"), wakeAt: noon });
    const record = newRecord("shrunk");
    const next = await journal().commit({ record, etag, wakeAt: undefined });
    expect(await journal().read("shrunk")).toStrictEqual({ record, etag: next });
  });

  it("returns any strings of a record unchanged", async () => {
    let etag = await insert("fuzzed");
    await fc.assert(
      fc.asyncProperty(arbitraryTarget("fuzzed"), async (record) => {
        etag = await journal().commit({ record, etag, wakeAt: undefined });
        expect(await journal().read("fuzzed")).toStrictEqual({ record, etag });
      }),
      { numRuns: fuzzRuns },
    );
  });

  it("replaces characters that no store can keep in a plain string", async () => {
    const record = { ...newRecord("fixed"), dueReason: "a\ud83db\u2028c", active: "\u2029" };
    await insert("fixed", { record });
    const read = await journal().read("fixed");
    expect(read?.record).toStrictEqual({ ...record, dueReason: "a\ufffdb\nc", active: "\n" });
  });

  it("is not affected by changes of a record object after a read or a write", async () => {
    const record = { ...newRecord("copied"), slots: [{ account: "a" }] };
    await insert("copied", { record });
    record.slots.push({ account: "b" });
    const read = await journal().read("copied");
    (read?.record.slots as unknown[]).push({ account: "c" });
    expect((await journal().read("copied"))?.record.slots).toStrictEqual([{ account: "a" }]);
  });

  it("accepts target ids of every allowed length and shape", async () => {
    for (const id of ["0", "a-", "a--b", "z".repeat(63)]) {
      await insert(id);
      expect((await journal().read(id))?.record.targetId).toBe(id);
    }
  });

  it("refuses ids that cannot become a key", async () => {
    for (const id of ["", "-a", "A", "a/b", "a#", "a?", "a\\", "a\n", "z".repeat(64)]) {
      await expect(insert(id)).rejects.toThrow(/target id/);
    }
    const runs = [leanRun("keyed", "a/b")];
    await expect(insert("keyed", { runs })).rejects.toThrow(/rotation id/);
    await expect(insert("keyed", { wakeAt: "tomorrow" })).rejects.toThrow(/not an instant/);
    await expect(insert("keyed", { runs: [leanRun("other", "1")] })).rejects.toThrow(/another/);
    expect(await journal().read("keyed")).toBeUndefined();
  });

  it("refuses a record whose safety fields are too long for the store, and names the field", async () => {
    const slots = Array.from({ length: 1_000 }, () => ({ account: "an account of some length" }));
    const nested = { ...newRecord("long"), slots };
    await expect(insert("long", { record: nested })).rejects.toThrow(/slots has/);
    const active = { ...newRecord("long"), active: "x".repeat(32_001) };
    await expect(insert("long", { record: active })).rejects.toThrow(/active has 32001/);
    expect(await journal().read("long")).toBeUndefined();
  });

  it("stores a record whose explanations are too long, with shorter ones", async () => {
    const long = "👋".repeat(20_000);
    const record = { ...fullTarget("wordy"), dueReason: long, policyWhy: long };
    const runs = [{ ...fullRun("wordy", "01A"), why: long }];
    await insert("wordy", { record, runs });
    const read = (await journal().read("wordy"))?.record;
    expect(read?.dueReason).toMatch(/^(👋)+$/u);
    expect(read).toStrictEqual({
      ...record,
      dueReason: read?.dueReason,
      policyWhy: read?.dueReason,
    });
    expect((await journal().run("wordy", "01A"))?.why).toBe(read?.dueReason);
  });

  it("refuses a record that it could not read back", async () => {
    const broken: unknown = { ...newRecord("broken"), schema: recordSchema + 1 };
    await expect(insert("broken", { record: broken as TargetRecord })).rejects.toThrow(/newer/);
    const unknown = { ...newRecord("broken"), slots: [{ account: "a", colour: "red" }] };
    await expect(insert("broken", { record: unknown })).rejects.toThrow(/cannot be read: slots/);
    expect(await journal().read("broken")).toBeUndefined();
  });

  it("refuses a write whose condition is lost and changes nothing", async () => {
    const stale = await insert("raced", { wakeAt: before });
    const record = { ...newRecord("raced"), failures: 1 };
    const etag = await journal().commit({ record, etag: stale, wakeAt: noon });
    const late: JournalChange = {
      record: { ...record, failures: 2 },
      etag: stale,
      wakeAt: after,
      runs: [leanRun("raced", "01A")],
      request: { key: "late", answer: "{}", asked: "operator" },
    };
    await expect(journal().commit(late)).rejects.toThrow(LeaseLostError);
    expect(await journal().read("raced")).toStrictEqual({ record, etag });
    expect(await journal().run("raced", "01A")).toBeUndefined();
    expect(await journal().request("raced", "late")).toBeUndefined();
  });

  it("refuses to insert what exists, and to replace what does not", async () => {
    const etag = await insert("once");
    await expect(insert("once")).rejects.toThrow(LeaseLostError);
    const record = newRecord("never");
    await expect(journal().commit({ record, etag, wakeAt: undefined })).rejects.toThrow(
      LeaseLostError,
    );
    const foreign = { record: newRecord("once"), etag: "made up", wakeAt: undefined };
    await expect(journal().commit(foreign)).rejects.toThrow(LeaseLostError);
  });

  it("lets exactly one of many that insert at the same time win", async () => {
    const winners = await race((index) =>
      insert("contested", { record: { ...newRecord("contested"), failures: index } }),
    );
    expect(winners).toHaveLength(1);
    expect((await journal().read("contested"))?.record.failures).toBe(winners[0]);
  });

  it("lets exactly one of many that replace at the same time win", async () => {
    const etag = await insert("replaced", { wakeAt: noon });
    const winners = await race((index) =>
      journal().commit({
        record: { ...newRecord("replaced"), failures: index },
        etag,
        wakeAt: index % 2 === 0 ? before : after,
      }),
    );
    expect(winners).toHaveLength(1);
    expect((await journal().read("replaced"))?.record.failures).toBe(winners[0]);
  });

  it("lists every target", async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `listed-${index}`);
    await Promise.all(ids.map((id) => insert(id)));
    const listed = (await journal().targets()).records.map((record) => record.targetId);
    expect(listed.filter((id) => id.startsWith("listed-")).sort()).toStrictEqual(ids.sort());
    expect(new Set(listed).size).toBe(listed.length);
  });
}

/** Indexes of the attempts that won; every other one must have lost its lease. */
async function race(attempt: (index: number) => Promise<string>): Promise<number[]> {
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => attempt(index)),
  );
  const failures = results.filter((result) => result.status === "rejected");
  for (const { reason } of failures) expect(reason).toBeInstanceOf(LeaseLostError);
  return results.flatMap((result, index) => (result.status === "fulfilled" ? [index] : []));
}

function dueRules(open: () => Journal): void {
  describe("the list of due targets", () => {
    const wake = (journal: Journal, targetId: string, wakeAt: string | undefined, etag?: string) =>
      journal.commit({ record: newRecord(targetId), etag, wakeAt });

    it("has every target whose wake time has come, earliest first, and no other", async () => {
      const journal = open();
      await Promise.all([
        wake(journal, "at-noon", noon),
        wake(journal, "before", before),
        wake(journal, "after", after),
        wake(journal, "asleep", undefined),
        wake(journal, "at-noon-too", noon),
      ]);
      expect(await dueIds(journal, noon, 10)).toStrictEqual(["before", "at-noon", "at-noon-too"]);
      expect(await dueIds(journal, "2020-01-01T00:00:00.000Z", 10)).toStrictEqual([]);
    });

    it("has at most the requested number of targets, the earliest", async () => {
      const journal = open();
      const ids = Array.from({ length: 40 }, (_, index) => `t${String(index).padStart(2, "0")}`);
      const at = (index: number) => `2026-03-01T08:00:${String(index).padStart(2, "0")}.000Z`;
      await Promise.all(ids.map((id, index) => wake(journal, id, at(index))));
      expect(await dueIds(journal, noon, 7)).toStrictEqual(ids.slice(0, 7));
      expect(await dueIds(journal, noon, 100)).toStrictEqual(ids);
    });

    it("follows the wake time of each write", async () => {
      const journal = open();
      let etag = await wake(journal, "moved", after);
      expect(await dueIds(journal, noon, 10)).toStrictEqual([]);
      etag = await wake(journal, "moved", before, etag);
      etag = await wake(journal, "moved", before, etag);
      expect(await dueIds(journal, noon, 10)).toStrictEqual(["moved"]);
      etag = await wake(journal, "moved", undefined, etag);
      expect(await dueIds(journal, after, 10)).toStrictEqual([]);
      await wake(journal, "moved", noon, etag);
      expect(await dueIds(journal, after, 10)).toStrictEqual(["moved"]);
    });

    it("says what goes first", async () => {
      const journal = open();
      const exposure = { at: before, by: "scanner", kind: "breach" } as const;
      await journal.commit({
        record: { ...newRecord("leaked"), exposure },
        etag: undefined,
        wakeAt: noon,
      });
      expect(await journal.due(noon, 10)).toStrictEqual([
        { targetId: "leaked", wakeAt: noon, sent: 0, isFirst: true },
      ]);
    });

    it("says where only a heartbeat is due", async () => {
      const journal = open();
      await journal.commit({ record: quiet("quiet", noon), etag: undefined, wakeAt: noon });
      expect(await journal.due(noon, 10)).toMatchObject([{ isFirst: false, isHeartbeat: true }]);
    });

    it("does not repeat a target while a message about it is under way", async () => {
      const journal = open();
      await wake(journal, "sent", before);
      await wake(journal, "other", noon);
      const due = await journal.due(noon, 10);
      expect(due).toStrictEqual([
        { targetId: "sent", wakeAt: before, sent: 0, isFirst: false },
        { targetId: "other", wakeAt: noon, sent: 0, isFirst: false },
      ]);
      await journal.markSent(due.slice(0, 1), noon);
      expect(await dueIds(journal, noon, 10)).toStrictEqual(["other"]);
      const later = plus(noon, 15 * minute);
      expect(await journal.due(later, 1)).toStrictEqual([
        { targetId: "sent", wakeAt: before, sent: 1, isFirst: false },
      ]);
    });

    it("can mark more targets than a transaction holds, also if some were written meanwhile", async () => {
      const journal = open();
      const ids = Array.from({ length: 250 }, (_, index) => `many-${index}`);
      const etags = await Promise.all(ids.map((id) => wake(journal, id, before)));
      const due = await journal.due(noon, 1_000);
      expect(due).toHaveLength(250);
      for (let index = 0; index < 250; index += 25) {
        await wake(journal, `many-${index}`, after, etags[index]);
      }
      await journal.markSent(due, noon);
      expect(await dueIds(journal, noon, 1_000)).toStrictEqual([]);
      expect(await dueIds(journal, after, 1_000)).toHaveLength(10);
      expect(await dueIds(journal, plus(noon, day), 1_000)).toHaveLength(250);
    });

    it("has a target again after every write, whatever was sent before", async () => {
      const journal = open();
      const etag = await wake(journal, "again", before);
      await journal.markSent(await journal.due(noon, 10), noon);
      await wake(journal, "again", before, etag);
      expect(await dueIds(journal, noon, 10)).toStrictEqual(["again"]);
    });

    it("marks no target that was put to sleep meanwhile or never existed", async () => {
      const journal = open();
      const etag = await wake(journal, "asleep", before);
      const due = await journal.due(noon, 10);
      await wake(journal, "asleep", undefined, etag);
      await journal.markSent(
        [...due, { targetId: "nobody", wakeAt: before, sent: 0, isFirst: false }],
        noon,
      );
      expect(await dueIds(journal, after, 10)).toStrictEqual([]);
    });

    it("is found by an etag that was read as well as by one that a write returned", async () => {
      const journal = open();
      await wake(journal, "read", before);
      const etag = (await journal.read("read"))?.etag;
      await wake(journal, "read", after, etag);
      expect(await dueIds(journal, noon, 10)).toStrictEqual([]);
      expect(await dueIds(journal, after, 10)).toStrictEqual(["read"]);
    });
  });
}

import { ulid } from "ulid";
import { describe, expect, it } from "vitest";
import { LeaseLostError } from "../../../shared/core/errors.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import type { Journal, JournalChange } from "../../../shared/stores/journal.ts";
import { fullAlarm, fullFreeze, fullRun, leanFreeze, leanRun } from "../../stores/full-records.ts";

const noon = "2026-03-01T12:00:00.000Z";
const before = "2026-03-01T11:59:59.999Z";
const after = "2026-03-01T12:00:00.001Z";

export type Insert = (targetId: string, change?: Partial<JournalChange>) => Promise<string>;

/** Rules about rotations and idempotency keys. */
export function historyRules(journal: () => Journal, insert: Insert): void {
  it("gives back rotations as they were written, with every field and with few", async () => {
    const runs = [fullRun("history", ulid(1_000)), leanRun("history", ulid(2_000))];
    await insert("history", { runs });
    for (const run of runs) {
      expect(await journal().run("history", run.rotationId)).toStrictEqual(run);
    }
    expect(await journal().run("history", ulid(3_000))).toBeUndefined();
    expect(await journal().run("history", "../x")).toBeUndefined();
    expect(await journal().run("other", runs[0]?.rotationId ?? "")).toBeUndefined();
  });

  it("lists the newest rotations of one target first", async () => {
    const ids = Array.from({ length: 30 }, (_, index) => ulid(1_700_000_000_000 + index * 7_919));
    const etag = await insert("listed-runs", {
      runs: ids.slice(0, 20).map((id) => leanRun("listed-runs", id)),
    });
    await journal().commit({
      record: newRecord("listed-runs"),
      etag,
      wakeAt: undefined,
      runs: ids.slice(20).map((id) => leanRun("listed-runs", id)),
    });
    await insert("listed-runs-2", { runs: [leanRun("listed-runs-2", ulid())] });
    const newest = ids.toReversed();
    const listed = async (limit: number) =>
      (await journal().runs("listed-runs", limit)).map((run) => run.rotationId);
    expect(await listed(4)).toStrictEqual(newest.slice(0, 4));
    expect(await listed(100)).toStrictEqual(newest);
    expect(await journal().runs("nobody", 10)).toStrictEqual([]);
  });

  it("orders rotations whose ids were not made by a clock", async () => {
    const ids = ["-", "0", "9", "A", "Z", "_", "a", "a-", "a0", "ab", "z"];
    await insert("odd-runs", { runs: ids.map((id) => leanRun("odd-runs", id)) });
    const listed = (await journal().runs("odd-runs", 100)).map((run) => run.rotationId);
    expect(listed).toStrictEqual(ids.toReversed());
  });

  it("lists a history page by page, and a rotation that is added meanwhile shifts no page", async () => {
    const ids = Array.from({ length: 7 }, (_, index) => ulid(1_700_000_000_000 + index * 7_919));
    const runsOf = (some: readonly string[]) => some.map((id) => leanRun("paged-runs", id));
    const etag = await insert("paged-runs", { runs: runsOf(ids) });
    await insert("paged-runs-2", { runs: [leanRun("paged-runs-2", ulid())] });
    const page = async (after?: string) =>
      (await journal().runs("paged-runs", 3, after)).map((run) => run.rotationId);
    const newest = ids.toReversed();
    expect(await page()).toStrictEqual(newest.slice(0, 3));
    await journal().commit({
      record: newRecord("paged-runs"),
      etag,
      wakeAt: undefined,
      runs: runsOf([ulid(1_800_000_000_000)]),
    });
    expect(await page(newest[2])).toStrictEqual(newest.slice(3, 6));
    expect(await page(newest[5])).toStrictEqual(newest.slice(6));
    expect(await page(newest[6])).toStrictEqual([]);
    // Between two that are there, after all, and one that cannot be an id.
    expect(await page(ulid(1_700_000_000_000 + 7_920))).toStrictEqual(newest.slice(5));
    expect(await page("0")).toStrictEqual([]);
    expect(await page("../x")).toStrictEqual([]);
  });

  it("replaces a rotation that is written again, even within one change", async () => {
    const run = leanRun("rewritten", "01A");
    const etag = await insert("rewritten", { runs: [run, { ...run, state: "running" }] });
    expect((await journal().run("rewritten", "01A"))?.state).toBe("running");
    const done = fullRun("rewritten", "01A");
    await journal().commit({
      record: newRecord("rewritten"),
      etag,
      wakeAt: undefined,
      runs: [done],
    });
    expect(await journal().runs("rewritten", 10)).toStrictEqual([done]);
  });

  it("remembers the request and the answer of an idempotency key, for that target alone", async () => {
    const keys = ["plain", "a/b#c?d\\e\n", "' or 1 eq 1", "Grüße 👋", "x".repeat(5_000), ""];
    let etag = await insert("keyed-1");
    await insert("keyed-2");
    for (const [index, key] of keys.entries()) {
      etag = await journal().commit({
        record: newRecord("keyed-1"),
        etag,
        wakeAt: undefined,
        request: { key, answer: `{"is":${index}}`, asked: `what ${index}` },
      });
    }
    for (const [index, key] of keys.entries()) {
      expect(await journal().request("keyed-1", key)).toStrictEqual({
        answer: `{"is":${index}}`,
        asked: `what ${index}`,
      });
      expect(await journal().request("keyed-2", key)).toBeUndefined();
    }
    expect(await journal().request("keyed-1", "unheard of")).toBeUndefined();
  });
}

/** The rules of freezes. */
export function freezeRules(open: () => Journal): void {
  it("gives back the freezes with every field, the oldest first, and replaces one with the same id", async () => {
    const journal = open();
    expect(await journal.freezes()).toStrictEqual([]);
    const [first, second] = [fullFreeze("01JNN1"), leanFreeze("01JNN2")];
    await journal.putFreeze(second);
    await journal.putFreeze({ ...first, reason: "a mistake" });
    await journal.putFreeze(first);
    expect(await journal.freezes()).toStrictEqual([first, second]);
  });

  it("stores a freeze and the key of its request together or not at all", async () => {
    const journal = open();
    const use = { asked: "a freeze", answer: JSON.stringify({ text: "\u2028 👋".repeat(20_000) }) };
    await journal.putFreeze(leanFreeze("01JNN1"), [], { key: "k/1", ...use });
    const stored = await journal.request(undefined, "k/1");
    expect(JSON.parse(stored?.answer ?? "")).toStrictEqual(JSON.parse(use.answer));
    expect(stored?.asked).toBe(use.asked);
    const again = journal.putFreeze(leanFreeze("01JNN2"), [], { key: "k/1", ...use });
    await expect(again).rejects.toThrow(LeaseLostError);
    expect(await journal.freezes()).toStrictEqual([leanFreeze("01JNN1")]);
    expect(await journal.request(undefined, "k/2")).toBeUndefined();
  });

  it("stores the key of a request to no single target once", async () => {
    const journal = open();
    const request = { key: "k", asked: "a selection", answer: '{"ids":[]}' };
    await journal.keepRequest(request);
    const other = journal.keepRequest({ ...request, asked: "another" });
    await expect(other).rejects.toThrow(LeaseLostError);
    const { key, ...use } = request;
    expect(await journal.request(undefined, key)).toStrictEqual(use);
    expect(await journal.request("orders", key)).toBeUndefined();
  });

  it("keeps a freeze with the longest selection", async () => {
    const journal = open();
    const targets = Array.from({ length: 400 }, (_, index) => `t${index}`.padEnd(63, "x"));
    const freeze = { ...leanFreeze("01JNN1"), selection: { targets } };
    await journal.putFreeze(freeze);
    expect(await journal.freezes()).toStrictEqual([freeze]);
  });
}

export function alarmRules(open: () => Journal): void {
  describe("alarms", () => {
    it("are listed newest first, as they were raised", async () => {
      const journal = open();
      const raised = [before, noon, after].map((at, index) => fullAlarm(`alarm/${index}`, at));
      const { targetId: _, ...bare } = fullAlarm("bare", "2026-03-01T09:00:00.000Z");
      for (const alarm of [...raised, bare]) await journal.raise(alarm);
      expect(await journal.alarms(10)).toStrictEqual([...raised.toReversed(), bare]);
      expect(await journal.alarms(2)).toStrictEqual(raised.toReversed().slice(0, 2));
    });

    it("are listed page by page, also those of one moment, and a new one shifts no page", async () => {
      const journal = open();
      const moments = [before, noon, noon, noon, after];
      const raised = moments.map((at, index) => fullAlarm(`alarm/${index}`, at));
      for (const alarm of raised) await journal.raise(alarm);
      const all = await journal.alarms(10);
      const [first = all[0], second] = await journal.alarms(2);
      await journal.raise(fullAlarm("new", "2026-03-01T13:00:00.000Z"));
      expect([first, second]).toStrictEqual(all.slice(0, 2));
      const rest = [...(await journal.alarms(2, second)), ...(await journal.alarms(2, all[3]))];
      expect(rest).toStrictEqual(all.slice(2));
      expect(await journal.alarms(2, all[4])).toStrictEqual([]);
    });

    it("that are raised again stay one alarm", async () => {
      const journal = open();
      await journal.raise(fullAlarm("again", noon));
      await journal.raise(fullAlarm("again", noon));
      await journal.raise(fullAlarm("another", noon));
      expect(await journal.alarms(10)).toHaveLength(2);
    });

    it("are cut rather than lost when they are long", async () => {
      const journal = open();
      await journal.raise({ ...fullAlarm("long", noon), message: "👋".repeat(50_000) });
      const [alarm] = await journal.alarms(1);
      expect(alarm?.message).toMatch(/^(👋)+.?…$/u);
      expect(alarm?.message).toHaveLength(4_000);
    });
  });
}

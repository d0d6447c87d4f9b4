import { ulid } from "ulid";
import { describe, expect, it } from "vitest";
import { type RunRecord } from "../../../shared/core/record/history.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { day, type Instant, plus, toInstant } from "../../../shared/core/time.ts";
import type { Journal } from "../../../shared/stores/journal.ts";
import { leanBreach, leanItem } from "../../stores/full-breaches.ts";
import { fullAlarm, fullRun, leanFreeze, leanRun } from "../../stores/full-records.ts";
import { dueIds } from "./due-ids.ts";

/** A journal that keeps things for 30 days, and the same one when so many milliseconds have passed. */
export interface Aging {
  readonly journal: Journal;
  readonly later: (milliseconds: number) => Promise<Journal>;
}

export const retentionMs = 30 * day;

/** More calls than there are partitions and pages. */
const maxCalls = 60;

export async function pruneAll(journal: Journal, limit = 100): Promise<number[]> {
  const removed: number[] = [];
  for (let call = 0; call < maxCalls; call++) removed.push(await journal.prune(limit));
  return removed;
}

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

/** A rotation that ended so many days before `now`. */
export function endedRun(
  now: Instant,
  targetId: string,
  daysAgo: number,
  state: RunRecord["state"] = "done",
): RunRecord {
  const endedAt = plus(now, -daysAgo * day);
  return { ...fullRun(targetId, ulid(Date.parse(endedAt))), state, endedAt };
}

/** Every rule of the retention. */
export function retentionSuite(name: string, open: () => Promise<Aging>): void {
  describe(name, () => {
    it("removes rotations that ended before the retention, and no younger ones", async () => {
      const { journal } = await open();
      const now = toInstant(journal.now());
      const runs = [1, 29, 31, 32, 400].map((days) => endedRun(now, "aged", days, "failed"));
      await insert(journal, "aged", { runs });
      expect(total(await pruneAll(journal))).toBe(3);
      expect(await journal.runs("aged", 10)).toStrictEqual(runs.slice(0, 2));
      expect(total(await pruneAll(journal))).toBe(0);
    });

    it("keeps the newest rotation of each target, whatever its age", async () => {
      const { journal } = await open();
      const now = toInstant(journal.now());
      const ids = Array.from({ length: 40 }, (_, index) => `rare-${index}`);
      for (const id of ids) {
        const runs = [endedRun(now, id, 900), endedRun(now, id, 1_000)];
        await insert(journal, id, { runs });
      }
      expect(total(await pruneAll(journal, 3))).toBe(40);
      for (const id of ids) {
        expect(await journal.runs(id, 9)).toMatchObject([{ endedAt: plus(now, -900 * day) }]);
      }
    });

    it("keeps rotations that have not ended, and targets", async () => {
      const { journal, later } = await open();
      const states = ["queued", "running", "blocked"] as const;
      const runs = states.map((state, index) => ({
        ...leanRun("open", ulid(1_000 + index)),
        state,
      }));
      const record = newRecord("open");
      const wakeAt = "2020-01-01T00:00:00.000Z";
      await insert(journal, "open", { runs: [...runs, leanRun("open", ulid())], record, wakeAt });
      const aged = await later(10 * retentionMs);
      expect(total(await pruneAll(aged))).toBe(0);
      expect(await aged.runs("open", 10)).toHaveLength(4);
      expect((await aged.read("open"))?.record).toStrictEqual(record);
      expect(await dueIds(aged, toInstant(aged.now()), 9)).toEqual(["open"]);
    });

    it("accepts an idempotency key only for the retention, removed or not", async () => {
      const { journal, later } = await open();
      const use = { answer: "{}", asked: "operator" };
      const etag = await insert(journal, "keyed", { request: { key: "k", ...use } });
      const young = await later(retentionMs - day);
      expect(total(await pruneAll(young))).toBe(0);
      expect(await young.request("keyed", "k")).toStrictEqual(use);
      const aged = await later(retentionMs + day);
      expect(await aged.request("keyed", "k")).toBeUndefined();
      expect(total(await pruneAll(aged))).toBe(1);
      const again = { key: "k", answer: "{}", asked: "exposure" };
      const record = newRecord("keyed");
      await aged.commit({ record, etag, wakeAt: undefined, request: again });
    });

    it("accepts the key of a request to no single target only for the retention, removed or not", async () => {
      const { journal, later } = await open();
      const use = { answer: "{}", asked: "a selection" };
      await journal.keepRequest({ key: "k", ...use });
      await journal.putFreeze(leanFreeze("01A"), [], { key: "f", ...use });
      const young = await later(retentionMs - day);
      expect(await young.request(undefined, "k")).toStrictEqual(use);
      await expect(young.keepRequest({ key: "k", ...use })).rejects.toThrow();
      const aged = await later(retentionMs + day);
      expect(await aged.request(undefined, "k")).toBeUndefined();
      await aged.keepRequest({ key: "k", answer: "[]", asked: "another" });
      expect(total(await pruneAll(aged))).toBeGreaterThan(0);
      expect(await aged.request(undefined, "f")).toBeUndefined();
    });

    it("removes alarms that were raised before the retention", async () => {
      const { journal } = await open();
      const now = journal.now().getTime();
      const at = (days: number) => toInstant(new Date(now - days * day));
      for (const days of [400, 31, 29, 1]) await journal.raise(fullAlarm(`${days}`, at(days)));
      expect(total(await pruneAll(journal))).toBe(2);
      expect((await journal.alarms(9)).map(({ id }) => id)).toEqual(["1", "29"]);
    });

    it("removes freezes that ended before the retention, by themselves or early, and no others", async () => {
      const { journal } = await open();
      const now = toInstant(journal.now());
      const ends = [
        ["01A", { until: plus(now, -31 * day) }],
        ["01B", { until: plus(now, -29 * day) }],
        ["01C", { until: plus(now, day), endedAt: plus(now, -31 * day), endedBy: "ben" }],
        ["01D", { until: plus(now, day) }],
      ] as const;
      for (const [id, end] of ends) await journal.putFreeze({ ...leanFreeze(id), ...end });
      expect(total(await pruneAll(journal))).toBe(2);
      expect((await journal.freezes()).map(({ id }) => id)).toEqual(["01B", "01D"]);
    });

    it("removes breaches that were last written before the retention, and no younger ones", async () => {
      const { journal, later } = await open();
      await journal.addBreach(leanBreach("01A"), [leanItem("01A", 1), leanItem("01A", 2)]);
      expect(total(await pruneAll(journal))).toBe(0);
      const aged = await later(31 * day);
      expect(total(await pruneAll(aged))).toBe(3);
      expect(await aged.breaches(10)).toEqual([]);
      expect(await aged.breachItems("01A", { limit: 10 })).toEqual([]);
    });

    it("keeps a breach that has not ended with all of its targets, however long it is paused", async () => {
      const { journal, later } = await open();
      for (const state of ["running", "paused", "stopping"] as const) {
        await journal.addBreach({ ...leanBreach(`01${state}`), state }, [
          leanItem(`01${state}`, 1),
        ]);
      }
      await journal.addBreach({ ...leanBreach("01ended"), state: "ended" }, [
        leanItem("01ended", 1),
      ]);
      const aged = await later(10 * retentionMs);
      expect(total(await pruneAll(aged, 1))).toBe(2);
      expect((await aged.breaches(10)).map(({ state }) => state).sort()).toEqual([
        ...["paused", "running", "stopping"],
      ]);
      expect(await aged.breachItems("01paused", { limit: 10 })).toHaveLength(1);
    });

    it("removes a few rows in each call, of removed targets and of others", async () => {
      const { journal } = await open();
      const now = toInstant(journal.now());
      const runs = Array.from({ length: 90 }, (_, index) => endedRun(now, "many", 40 + index));
      await insert(journal, "many", { runs });
      const removed = await pruneAll(journal, 7);
      expect(Math.max(...removed)).toBe(7);
      expect(total(removed)).toBe(89);
      expect(await journal.runs("many", 100)).toStrictEqual(runs.slice(0, 1));
    });
  });
}

function insert(
  journal: Journal,
  targetId: string,
  change: Partial<Parameters<Journal["commit"]>[0]>,
): Promise<string> {
  const record = newRecord(targetId);
  return journal.commit({ record, etag: undefined, wakeAt: undefined, ...change });
}

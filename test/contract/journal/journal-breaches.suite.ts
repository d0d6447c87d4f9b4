import { expect, it } from "vitest";
import { LeaseLostError } from "../../../shared/core/errors.ts";
import { type Journal, maxItemsInChange } from "../../../shared/stores/journal.ts";
import { fullBreach, fullItem, leanBreach, leanItem } from "../../stores/full-breaches.ts";

const all = { limit: 1_000 };

/** The rules of breaches. */
export function breachRules(open: () => Journal): void {
  it("gives back breaches and their targets with every field, and with none", async () => {
    const journal = open();
    const [full, lean] = [fullBreach("01JNN1"), leanBreach("01JNN2")];
    const items = [leanItem("01JNN1", 1), fullItem("01JNN1", 2)];
    await journal.addBreach(full, items);
    await journal.addBreach(lean, []);
    expect((await journal.breach("01JNN1"))?.breach).toStrictEqual(full);
    expect((await journal.breach("01JNN2"))?.breach).toStrictEqual(lean);
    expect(await journal.breachItems("01JNN1", all)).toStrictEqual(items);
    expect(await journal.breachItems("01JNN2", all)).toStrictEqual([]);
  });

  it("does not know a breach that was never made", async () => {
    const journal = open();
    expect(await journal.breach("01JNN1")).toBeUndefined();
    expect(await journal.breach("../Nobody#?")).toBeUndefined();
    expect(await journal.breachItems("01JNN1", all)).toStrictEqual([]);
    expect(await journal.breachItems("../Nobody#?", all)).toStrictEqual([]);
  });

  it("lists breaches page by page, newest first", async () => {
    const journal = open();
    const ids = ["01JNN1", "01JNN2", "01JNN3"];
    for (const id of ids) await journal.addBreach(leanBreach(id), [leanItem(id, 1)]);
    const list = async (limit: number, after?: string) =>
      (await journal.breaches(limit, after)).map(({ id }) => id);
    expect(await list(10)).toStrictEqual(ids.toReversed());
    expect(await list(2)).toStrictEqual(["01JNN3", "01JNN2"]);
    expect(await list(10, "01JNN2")).toStrictEqual(["01JNN1"]);
    expect(await list(10, "01JNN1")).toStrictEqual([]);
  });

  it("stores the longest breach, and lists its targets by place, page and state", async () => {
    const journal = open();
    const items = Array.from({ length: 1_150 }, (_, index) => ({
      ...leanItem("01JNN1", index + 1),
      state: index % 10 === 0 ? ("begun" as const) : ("waiting" as const),
    }));
    await journal.addBreach(leanBreach("01JNN1"), items);
    await journal.addBreach(leanBreach("01JNN"), [leanItem("01JNN", 1)]);
    expect(await journal.breachItems("01JNN1", { limit: 5_000 })).toStrictEqual(items);
    const page = await journal.breachItems("01JNN1", { limit: 3, after: 1_148 });
    expect(page.map(({ place }) => place)).toStrictEqual([1_149, 1_150]);
    const begun = await journal.breachItems("01JNN1", { limit: 2, after: 11, states: ["begun"] });
    expect(begun.map(({ place }) => place)).toStrictEqual([21, 31]);
    const none = await journal.breachItems("01JNN1", { ...all, states: ["failed", "left"] });
    expect(none).toStrictEqual([]);
  });

  it("changes a breach and its targets together, for one writer of two", async () => {
    const journal = open();
    const before = [leanItem("01JNN1", 1), leanItem("01JNN1", 2)];
    await journal.addBreach(leanBreach("01JNN1"), before);
    const { breach, etag = "" } = (await journal.breach("01JNN1")) ?? {};
    if (!breach) throw new Error("the breach is missing");
    const changed = { ...breach, state: "running", nextAt: "2026-03-01T12:00:00.000Z" } as const;
    const item = fullItem("01JNN1", 2);
    const next = await journal.commitBreach({ breach: changed, etag, items: [item] });
    expect(await journal.breach("01JNN1")).toStrictEqual({ breach: changed, etag: next });
    expect(await journal.breachItems("01JNN1", all)).toStrictEqual([before[0], item]);
    const late = { breach, etag, items: [leanItem("01JNN1", 2)] };
    await expect(journal.commitBreach(late)).rejects.toThrow(LeaseLostError);
    expect(await journal.breachItems("01JNN1", all)).toStrictEqual([before[0], item]);
    await journal.commitBreach({ breach, etag: next, items: [] });
    expect((await journal.breach("01JNN1"))?.breach).toStrictEqual(breach);
  });

  it("changes as many targets at once as the contract allows", async () => {
    const journal = open();
    const items = Array.from({ length: maxItemsInChange }, (_, index) =>
      fullItem("01JNN1", index + 1),
    );
    await journal.addBreach(leanBreach("01JNN1"), items);
    const found = await journal.breach("01JNN1");
    if (!found) throw new Error("the breach is missing");
    const changed = items.map((item) => ({ ...item, state: "rotated" as const }));
    await journal.commitBreach({ ...found, items: changed });
    expect(await journal.breachItems("01JNN1", all)).toStrictEqual(changed);
  });

  it("names the breaches whose turn has come", async () => {
    const journal = open();
    const [early, noon] = ["2026-03-01T11:59:59.999Z", "2026-03-01T12:00:00.000Z"];
    await journal.addBreach({ ...leanBreach("01JNN1"), nextAt: noon }, []);
    await journal.addBreach(leanBreach("01JNN2"), []);
    await journal.addBreach({ ...leanBreach("01JNN3"), nextAt: early }, []);
    expect(await journal.dueBreaches(early, 10)).toStrictEqual(["01JNN3"]);
    expect((await journal.dueBreaches(noon, 10)).sort()).toStrictEqual(["01JNN1", "01JNN3"]);
    expect(await journal.dueBreaches(noon, 1)).toHaveLength(1);
  });
}

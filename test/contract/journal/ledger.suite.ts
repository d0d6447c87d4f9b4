import { describe, expect, it } from "vitest";
import {
  chainEntries,
  type ChainStart,
  maxEntries,
  newChain,
  type Segment,
  startAfter,
} from "../../../shared/core/ledger/chain.ts";
import type { LedgerEntry } from "../../../shared/core/ledger/entry.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import { sealLedger } from "../../../shared/engine/ledger/seal.ts";
import type { Journal } from "../../../shared/stores/journal.ts";
import { makeEntry } from "../../core/ledger/exports.ts";
import { leanFreeze } from "../../stores/full-records.ts";

const at = "2026-03-01T12:00:00.000Z";
const moment = (second: number) => `2026-03-01T12:00:${String(second).padStart(2, "0")}.000Z`;

const write = (journal: Journal, targetId: string, entries: readonly LedgerEntry[]) =>
  journal.commit({ record: newRecord(targetId), etag: undefined, wakeAt: undefined, entries });

const idsOf = async (journal: Journal, limit = 1_000) =>
  (await journal.ledger.unsealed(limit)).map(({ entry }) => entry.id);

async function addSegment(journal: Journal, start: ChainStart, entries: readonly LedgerEntry[]) {
  const [segment] = chainEntries(start, entries, at);
  if (!segment) throw new Error("no entries");
  const placed = segment.entries.map((entry) => ({ ...entry, place: "freezes/entry:none:0" }));
  return { segment, isAdded: await journal.ledger.add(segment.head, placed) };
}

/** Every rule of the ledger's contract. `open` gives an empty journal. */
export function ledgerSuite(name: string, open: () => Journal): void {
  describe(name, () => {
    it("is empty at first", async () => {
      const { ledger } = open();
      expect(await ledger.unsealed(10)).toEqual([]);
      expect(await ledger.latest()).toBeUndefined();
      expect(await ledger.start()).toEqual(newChain);
      expect(await ledger.segments(1, 10)).toEqual([]);
    });

    it("keeps the entries of every kind of write, and lists the oldest first", async () => {
      const journal = open();
      const full: LedgerEntry = {
        ...{ id: "E1", at: moment(1), by: "anna ✓", action: "rotation.request" },
        ...{ outcome: "accepted", targets: ["app"], rotations: ["R1"], cause: "operator" },
        ...{ reason: 'a "leak"', ticket: "SEC-1", detail: "line\\u000a", selection: "policy x" },
      };
      await journal.ledger.log([makeEntry("E3", { at: moment(3) })]);
      await journal.ledger.log([makeEntry("E4", { at: moment(4) })]);
      await journal.putFreeze(leanFreeze("01JNN1"), [makeEntry("E2", { at: moment(2) })]);
      await write(journal, "app", [full, makeEntry("E5", { at: moment(5) })]);
      expect((await journal.ledger.unsealed(10)).map(({ entry }) => entry)).toEqual([
        full,
        makeEntry("E2", { at: moment(2) }),
        makeEntry("E3", { at: moment(3) }),
        makeEntry("E4", { at: moment(4) }),
        makeEntry("E5", { at: moment(5) }),
      ]);
      expect(await idsOf(journal, 2)).toEqual(["E1", "E2"]);
    });

    it("keeps no entry of a write that another writer has forestalled", async () => {
      const journal = open();
      await write(journal, "app", [makeEntry("E1")]);
      await expect(write(journal, "app", [makeEntry("E2")])).rejects.toThrow("another writer");
      expect(await idsOf(journal)).toEqual(["E1"]);
    });

    it("refuses an entry from which no key can be made", async () => {
      const journal = open();
      await expect(write(journal, "app", [makeEntry("a/b")])).rejects.toThrow("ledger");
      await expect(journal.ledger.log([makeEntry("E", { at: "today" })])).rejects.toThrow("ledger");
      expect(await idsOf(journal)).toEqual([]);
    });

    it("stores only one segment with a number", async () => {
      const journal = open();
      const first = await addSegment(journal, newChain, [makeEntry("E1"), makeEntry("E2")]);
      expect(first.isAdded).toBe(true);
      expect((await addSegment(journal, newChain, [makeEntry("E3")])).isAdded).toBe(false);
      expect(await journal.ledger.segments(1, 9)).toEqual([first.segment]);
    });

    it("gives back segments in ascending order, and the head of the newest", async () => {
      const journal = open();
      const made: Segment[] = [];
      let start = newChain;
      for (let count = 1; count <= 12; count++) {
        const { segment } = await addSegment(journal, start, [makeEntry(`E${count}`)]);
        start = startAfter(segment.head);
        made.push(segment);
      }
      expect(await journal.ledger.segments(2, 11)).toEqual(made.slice(1, 11));
      expect(await journal.ledger.latest()).toEqual({ ...made.at(-1)?.head, isCleared: false });
    });

    it("keeps what is learnt about a head", async () => {
      const journal = open();
      const { segment } = await addSegment(journal, newChain, [makeEntry("E1")]);
      const signature = { key: "https://main.vault.azure.net/keys/ledger/1", value: "abc" };
      await journal.ledger.anchor(1, { signature });
      await journal.ledger.anchor(1, { toldTo: ["webhook a"], anchoredAt: at });
      const head = { ...segment.head, signature, toldTo: ["webhook a"], anchoredAt: at };
      expect(await journal.ledger.latest()).toEqual({ ...head, isCleared: false });
      expect(await journal.ledger.segments(1, 1)).toEqual([{ ...segment, head }]);
      await journal.ledger.anchor(1, { unsignedSince: at });
      expect(await journal.ledger.latest()).toMatchObject({ ...head, unsignedSince: at });
      await journal.ledger.anchor(7, { anchoredAt: at });
      expect(await journal.ledger.segments(7, 7)).toEqual([]);
    });

    it("keeps since when a new head waits for a signature", async () => {
      const journal = open();
      const [segment] = chainEntries(newChain, [makeEntry("E1")], at);
      if (!segment) throw new Error("no segment");
      await journal.ledger.add({ ...segment.head, unsignedSince: at }, []);
      expect(await journal.ledger.latest()).toMatchObject({ ...segment.head, unsignedSince: at });
    });

    it("clears the entries of a segment, also when some of their rows are gone", async () => {
      const journal = open();
      const ids = ["E1", "E2", "E3", "E4"];
      for (const [index, id] of ids.entries()) {
        await journal.ledger.log([makeEntry(id, { at: moment(index) })]);
      }
      const waiting = (await journal.ledger.unsealed(10)).slice(0, 3);
      const entries = waiting.map(({ entry }) => entry);
      const [segment] = chainEntries(newChain, entries, at);
      if (!segment) throw new Error("no segment");
      const places = waiting.map(({ place }) => place);
      const placed = segment.entries.map((entry, index) => ({
        ...entry,
        place: places[index] ?? "",
      }));
      await journal.ledger.add(segment.head, placed);
      await Promise.all([journal.ledger.clear(1), journal.ledger.clear(1)]);
      expect(await idsOf(journal)).toEqual(["E4"]);
      await journal.ledger.clear(1);
      await journal.ledger.clear(2);
      expect(await idsOf(journal)).toEqual(["E4"]);
      expect((await journal.ledger.latest())?.isCleared).toBe(true);
    });

    it("trims segments together with the entry that says so, and only once", async () => {
      const journal = open();
      const full = Array.from({ length: maxEntries }, (_, index) => makeEntry(`E${index}`));
      const { segment } = await addSegment(journal, newChain, full);
      const begin = startAfter(segment.head);
      const next = await addSegment(journal, begin, [makeEntry("F")]);
      const trim = (id: string) =>
        journal.ledger.trim([segment], begin, makeEntry(id, { action: "ledger.trim" }));
      await trim("T1");
      await trim("T2");
      expect(await journal.ledger.segments(1, 9)).toEqual([next.segment]);
      expect(await journal.ledger.start()).toEqual(begin);
      expect(await idsOf(journal)).toEqual(["T1"]);
      await journal.ledger.trim([next.segment], startAfter(next.segment.head), makeEntry("T3"));
      expect(await journal.ledger.latest()).toBeUndefined();
      await sealLedger(journal);
      const [last] = await journal.ledger.segments(1, 9);
      expect(last?.head).toMatchObject({ segment: 3, first: maxEntries + 2 });
      expect(last?.entries.map(({ entry }) => entry.id).sort()).toEqual(["T1", "T3"]);
    });

    it("is sealed once by any number of instances", async () => {
      const journal = open();
      const ids = Array.from({ length: 30 }, (_, index) => `E${String(index).padStart(2, "0")}`);
      await Promise.all(ids.map((id) => write(journal, id.toLowerCase(), [makeEntry(id)])));
      await Promise.all([1, 2, 3].map(() => sealLedger(journal)));
      const segments = await journal.ledger.segments(1, 10);
      const sealed = segments.flatMap(({ entries }) => entries.map(({ entry }) => entry.id));
      expect(sealed).toEqual(ids);
      expect(await idsOf(journal)).toEqual([]);
    });
  });
}

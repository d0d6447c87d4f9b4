import "../fixed-seed.ts";
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { toCanonicalJson } from "../../../shared/core/canonical.ts";
import { hashLink, newChain, startAfter } from "../../../shared/core/ledger/chain.ts";
import { parseLine } from "../../../shared/core/ledger/lines.ts";
import { verifyLines } from "../../../shared/core/ledger/verify.ts";
import {
  arbitrarySegments,
  keyPair,
  makeEntry,
  makeSegments,
  signAll,
  toExport,
} from "./exports.ts";

const [ours, theirs] = [keyPair(), keyPair()];
const keys = [ours.publicKey];

/** The number of the first entry at or after this line of an export. */
function nextEntry(lines: readonly string[], index: number): number {
  const found = lines.slice(index).map((text) => parseLine(text));
  const entry = found.find((line) => line?.type === "entry");
  if (entry) return entry.sequence;
  const last = lines.map((text) => parseLine(text)).findLast((line) => line?.type === "entry");
  return (last?.sequence ?? 0) + 1;
}

/** An export, and the index of one of its entries. */
const exportWithEntry = arbitrarySegments.chain((segments) => {
  const lines = toExport(segments);
  const entries = [...lines.keys()].filter(
    (index) => parseLine(lines[index] ?? "")?.type === "entry",
  );
  return fc.record({ lines: fc.constant(lines), index: fc.constantFrom(...entries) });
});

const withExport = (check: (lines: string[], index: number) => Promise<void>) =>
  fc.assert(fc.asyncProperty(exportWithEntry, ({ lines, index }) => check(lines, index)));

describe("an export of the ledger", () => {
  it("is valid as it was written, with and without signatures", async () => {
    await fc.assert(
      fc.asyncProperty(arbitrarySegments, async (segments) => {
        const last = segments.at(-1)?.head;
        const report = await verifyLines(toExport(segments), last ? { head: last } : {});
        expect(report).toMatchObject({
          last: last?.sequence,
          entries: last?.sequence,
          head: "matches",
        });
        expect(report.problem).toBeUndefined();
        const signed = await verifyLines(toExport(signAll(segments, ours.privateKey)), { keys });
        expect(signed.problem).toBeUndefined();
        expect(signed.signatures).toEqual({ valid: segments.length, through: last?.sequence });
      }),
    );
  });

  it("shows which entry was removed", async () => {
    await withExport(async (lines, index) => {
      const report = await verifyLines(lines.toSpliced(index, 1));
      expect(report.problem).toMatchObject({
        kind: "removed",
        sequence: nextEntry(lines, index),
        line: index + 1,
      });
      expect(report.last).toBe(nextEntry(lines, index) - 1);
    });
  });

  it("shows which entry was changed, whatever character of its line changed", async () => {
    const change = fc.record({
      found: exportWithEntry,
      place: fc.nat(),
      char: fc.string({ minLength: 1, maxLength: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ found: { lines, index }, place, char }) => {
        const line = lines[index] ?? "";
        const at = place % line.length;
        fc.pre(line[at] !== char);
        const changed = `${line.slice(0, at)}${char}${line.slice(at + 1)}`;
        const { problem } = await verifyLines(lines.with(index, changed));
        expect(problem).toMatchObject({
          kind: "altered",
          sequence: nextEntry(lines, index),
          line: index + 1,
        });
      }),
    );
  });

  it("shows which entry was changed by somebody who also wrote its new hash", async () => {
    await withExport(async (lines, index) => {
      const line = parseLine(lines[index] ?? "");
      if (line?.type !== "entry") throw new Error("not an entry");
      const forged = { ...line, entry: { ...line.entry, by: "mallory" } };
      const text = toCanonicalJson({ ...forged, hash: hashLink(forged) });
      const { problem } = await verifyLines(lines.with(index, text));
      expect(problem).toMatchObject({ kind: "altered", sequence: line.sequence });
    });
  });

  it("shows from which entry on the order is wrong when one was moved", async () => {
    const move = fc.record({ found: exportWithEntry, to: fc.nat() });
    await fc.assert(
      fc.asyncProperty(move, async ({ found: { lines, index }, to }) => {
        const target = 1 + (to % (lines.length - 1));
        const moved = lines.toSpliced(index, 1).toSpliced(target, 0, lines[index] ?? "");
        const first = lines.findIndex((line, place) => line !== moved[place]);
        fc.pre(first >= 0);
        const { problem } = await verifyLines(moved);
        expect(problem).toMatchObject({
          kind: "reordered",
          sequence: nextEntry(lines, first),
        });
      }),
    );
  });

  it("shows which entry is there twice", async () => {
    const copy = fc.record({ found: exportWithEntry, to: fc.nat() });
    await fc.assert(
      fc.asyncProperty(copy, async ({ found: { lines, index }, to }) => {
        const target = 1 + (to % lines.length);
        const doubled = lines.toSpliced(target, 0, lines[index] ?? "");
        const { problem } = await verifyLines(doubled);
        expect(problem?.sequence).toBe(nextEntry(lines, index));
        // A copy of the next entry before the head of a segment is in the right order.
        expect(["repeated", "reordered"]).toContain(problem?.kind);
      }),
    );
  });

  it("shows with a head which entries are missing from its end", async () => {
    const cut = fc.record({ segments: arbitrarySegments, cut: fc.nat() });
    await fc.assert(
      fc.asyncProperty(cut, async ({ segments, cut }) => {
        const lines = toExport(segments);
        const left = lines.slice(0, 1 + (cut % (lines.length - 1)));
        const head = segments.at(-1)?.head;
        const { problem } = await verifyLines(left, head ? { head } : {});
        expect(problem).toMatchObject({ kind: "tail", sequence: nextEntry(lines, left.length) });
      }),
    );
  });

  it("shows that the head of a segment was removed, moved or changed", async () => {
    const segments = makeSegments([
      [makeEntry("1"), makeEntry("2")],
      [makeEntry("3")],
      [makeEntry("4")],
    ]);
    const lines = toExport(segments);
    // start, 1, 2, head, 3, head, 4, head
    expect((await verifyLines(lines.toSpliced(3, 1))).problem?.message).toBe(
      "The head of segment 1 was removed.",
    );
    const moved = lines.toSpliced(3, 1).toSpliced(4, 0, lines[3] ?? "");
    expect((await verifyLines(moved)).problem).toMatchObject({ kind: "reordered", sequence: 3 });
    const early = lines.toSpliced(5, 1).toSpliced(2, 0, lines[5] ?? "");
    expect((await verifyLines(early)).problem).toMatchObject({ kind: "reordered", sequence: 2 });
    const twice = lines.toSpliced(4, 0, lines[3] ?? "");
    expect((await verifyLines(twice)).problem?.message).toBe("The head of segment 1 is repeated.");
    const changed = lines.with(3, (lines[3] ?? "").replace(/"hash":"../, '"hash":"00'));
    expect((await verifyLines(changed)).problem).toMatchObject({ kind: "altered", line: 4 });
  });
});

describe("signatures and heads", () => {
  const honest = makeSegments([[makeEntry("1"), makeEntry("2")], [makeEntry("3")]]);
  /** Somebody who can write the table changes entry 2 and computes the whole chain again. */
  const forged = makeSegments([
    [makeEntry("1"), makeEntry("2", { by: "mallory" })],
    [makeEntry("3")],
  ]);

  it("do not protect a chain that was computed again if there are none", async () => {
    const report = await verifyLines(toExport(forged));
    expect(report.problem).toBeUndefined();
    expect(report).toMatchObject({ head: "none", signatures: { valid: 0 }, unchecked: 0 });
  });

  it("show a chain that was computed again, also with the old signatures", async () => {
    const signed = signAll(honest, ours.privateKey);
    const pasted = forged.map(({ head, entries }, index) => {
      const { signature } = signed[index]?.head ?? {};
      return { entries, head: { ...head, ...(signature && { signature }) } };
    });
    const { problem } = await verifyLines(toExport(pasted), { keys });
    expect(problem).toMatchObject({ kind: "signature", sequence: 1, line: 4 });
    expect(problem?.message).toContain("an entry from 1 to 2 was altered after it was sealed");
    const by = await verifyLines(toExport(signAll(forged, theirs.privateKey)), { keys });
    expect(by.problem).toMatchObject({ kind: "signature", line: 4 });
  });

  it("are missed when a key is given and nothing is signed: they may have been removed", async () => {
    const { problem, last } = await verifyLines(toExport(forged), { keys });
    expect(last).toBe(3);
    expect(problem).toEqual({
      kind: "signature",
      sequence: 1,
      message:
        "No head is signed, so the key proves nothing about entries 1 to 3: the signatures were removed, or the app has not signed yet.",
    });
    const [first] = forged;
    if (!first) throw new Error("no segment");
    const lines = toExport(forged.slice(1), startAfter(first.head));
    expect((await verifyLines(lines, { keys })).problem?.message).toContain("about entry 3:");
    expect((await verifyLines(toExport([]), { keys })).problem).toBeUndefined();
  });

  it("may be missing at the end, which the report shows", async () => {
    const [first, last] = [signAll(honest, ours.privateKey)[0], honest[1]];
    const lines = toExport([first, last].filter((one) => one !== undefined));
    const report = await verifyLines(lines, { keys });
    expect(report).toMatchObject({ signatures: { valid: 1, through: 2 }, last: 3 });
    expect(report.problem).toBeUndefined();
  });

  it("accept any of several keys, because the key may have been replaced", async () => {
    const [first, second] = [
      signAll(honest, theirs.privateKey)[0],
      signAll(honest, ours.privateKey)[1],
    ];
    const lines = toExport([first, second].filter((one) => one !== undefined));
    const both = await verifyLines(lines, { keys: [theirs.publicKey, ours.publicKey] });
    expect(both).toMatchObject({ signatures: { valid: 2, through: 3 } });
    expect(both.problem).toBeUndefined();
  });

  it("are counted when no key is given", async () => {
    const report = await verifyLines(toExport(signAll(honest, ours.privateKey)));
    expect(report).toMatchObject({ unchecked: 2, signatures: { valid: 0, through: 0 } });
  });

  it("name the entry at which the chain differs from the given head", async () => {
    const head = honest[0]?.head;
    if (!head) throw new Error("no head");
    const { problem, head: compared } = await verifyLines(toExport(forged), { head });
    expect(compared).toBe("differs");
    expect(problem).toMatchObject({ kind: "altered", sequence: 2 });
  });

  it("cover the time of a head", async () => {
    const [line = "", ...rest] = toExport(signAll(honest, ours.privateKey)).slice(3);
    const later = line.replace("2026-03-01", "2026-03-02");
    const lines = [...toExport(honest).slice(0, 3), later, ...rest];
    expect((await verifyLines(lines, { keys })).problem?.kind).toBe("signature");
  });
});

describe("the beginning of an export", () => {
  const [first, second] = makeSegments([[makeEntry("1"), makeEntry("2")], [makeEntry("3")]]);
  if (!first || !second) throw new Error("two segments were made");

  it("may be a later segment, when retention has removed the earlier ones", async () => {
    const lines = toExport([second], startAfter(first.head));
    const report = await verifyLines(lines, { head: first.head });
    expect(report).toMatchObject({
      start: { segment: 2, sequence: 2 },
      entries: 1,
      head: "matches",
    });
    expect(report.problem).toBeUndefined();
  });

  it("is compared with the first entry", async () => {
    const lines = toExport([second], { ...startAfter(first.head), hash: "f".repeat(64) });
    expect((await verifyLines(lines)).problem).toMatchObject({ kind: "altered", sequence: 3 });
  });

  it("must be there", async () => {
    const lines = toExport([first]);
    expect((await verifyLines(lines.slice(1))).problem).toMatchObject({ kind: "removed", line: 1 });
    expect((await verifyLines([])).problem?.message).toBe("The file is empty.");
  });

  it("may stand between joined parts that follow each other", async () => {
    const parts = [...toExport([first]), ...toExport([second], startAfter(first.head))];
    expect((await verifyLines(parts)).problem).toBeUndefined();
    const doubled = [...toExport([first]), ...toExport([first, second])];
    expect((await verifyLines(doubled)).problem).toMatchObject({ kind: "repeated", sequence: 1 });
    const later = startAfter(second.head);
    const missing = [...toExport([first]), ...toExport([], later)];
    expect((await verifyLines(missing)).problem).toMatchObject({ kind: "removed", sequence: 3 });
  });

  it("says when a given head is older than the export", async () => {
    const [, , third] = makeSegments([
      [makeEntry("1"), makeEntry("2")],
      [makeEntry("3")],
      [makeEntry("4")],
    ]);
    if (!third) throw new Error("three segments were made");
    const lines = toExport([third], startAfter(second.head));
    expect((await verifyLines(lines, { head: first.head })).head).toBe("earlier");
  });
});

test("An empty ledger is valid", async () => {
  const report = await verifyLines(toExport([]));
  expect(report).toMatchObject({ entries: 0, last: 0, start: newChain });
  expect(report.problem).toBeUndefined();
});

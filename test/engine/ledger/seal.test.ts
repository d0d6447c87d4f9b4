import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { maxEntries } from "../../../shared/core/ledger/chain.ts";
import { verifyLines } from "../../../shared/core/ledger/verify.ts";
import { sealLedger } from "../../../shared/engine/ledger/seal.ts";
import { type Journal, JournalUnavailableError } from "../../../shared/stores/journal.ts";
import type { LedgerStore } from "../../../shared/stores/ledger-store.ts";
import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { makeEntry } from "../../core/ledger/exports.ts";
import { generator } from "../random.ts";
import type { Gate } from "../world.ts";
import { exportLedger, readLedger } from "./read-ledger.ts";

/** The journal as one instance sees it: each call of its ledger goes through the gate. */
function seenThrough(journal: Journal, gate: Gate): Journal {
  const { ledger } = journal;
  const seen: LedgerStore = {
    log: (entries) => gate("log", () => ledger.log(entries)),
    unsealed: (limit) => gate("unsealed", () => ledger.unsealed(limit)),
    latest: () => gate("latest", () => ledger.latest()),
    expiry: () => ledger.expiry(),
    start: () => gate("start", () => ledger.start()),
    add: (head, entries) => gate("add", () => ledger.add(head, entries)),
    clear: (segment) => gate("clear", () => ledger.clear(segment)),
    segments: (first, last) => gate("segments", () => ledger.segments(first, last)),
    anchor: (segment, anchor) => gate("anchor", () => ledger.anchor(segment, anchor)),
    trim: (removed, start, entry) => gate("trim", () => ledger.trim(removed, start, entry)),
  };
  return { ...journal, ledger: seen };
}

const idOf = (index: number) => `E${String(index).padStart(5, "0")}`;
const log = (journal: Journal, ids: readonly string[]) =>
  journal.ledger.log(ids.map((id) => makeEntry(id)));

/** Everything that must hold of a ledger, wherever an instance died. */
async function problemsOf(journal: Journal, ids: readonly string[]): Promise<string[]> {
  const { problem } = await verifyLines(await exportLedger(journal));
  const found = (await readLedger(journal)).map(({ id }) => id).sort();
  const lost = ids.filter((id) => !found.includes(id));
  const doubled = found.filter((id, index) => found.indexOf(id) !== index);
  return [
    ...(problem ? [problem.message] : []),
    ...lost.map((id) => `${id} was lost`),
    ...doubled.map((id) => `${id} is there twice`),
  ];
}

describe("sealing", () => {
  test("Entries go into segments of at most 97, the oldest first, and none waits any more", async () => {
    const journal = makeMemoryJournal();
    const ids = Array.from({ length: 2 * maxEntries + 3 }, (_, index) => idOf(index));
    await log(journal, ids.toReversed());
    await sealLedger(journal);
    const segments = await journal.ledger.segments(1, 10);
    expect(segments.map(({ entries }) => entries.length)).toEqual([maxEntries, maxEntries, 3]);
    expect((await readLedger(journal)).map(({ id }) => id)).toEqual(ids);
    expect(await journal.ledger.unsealed(1)).toEqual([]);
  });

  test("Nothing to seal costs two readings and makes no segment", async () => {
    const effects: string[] = [];
    const journal = seenThrough(makeMemoryJournal(), (effect, call) => {
      effects.push(effect);
      return call();
    });
    await sealLedger(journal);
    expect(effects).toEqual(["latest", "unsealed"]);
  });

  test("A backlog that is larger than one reading is sealed in one sweep", async () => {
    const journal = makeMemoryJournal();
    const ids = Array.from({ length: 2_500 }, (_, index) => idOf(index));
    await log(journal, ids);
    await sealLedger(journal);
    expect(await journal.ledger.unsealed(1)).toEqual([]);
    expect(await problemsOf(journal, ids)).toEqual([]);
  });

  for (const how of ["dies before", "dies after", "loses the reply of"]) {
    test(`No entry is lost or doubled when an instance ${how} any one call`, async () => {
      for (let at = 1; ; at++) {
        const journal = makeMemoryJournal();
        const first = Array.from({ length: maxEntries + 5 }, (_, index) => idOf(index));
        await log(journal, first);
        let calls = 0;
        const isDead = await new Promise<boolean>((end) => {
          const gate: Gate = async (_effect, call) => {
            if (++calls !== at) return call();
            const dead = () => {
              end(true);
              return new Promise<never>(() => undefined);
            };
            if (how === "dies before") return dead();
            await call();
            if (how === "dies after") return dead();
            throw new JournalUnavailableError("the reply was lost");
          };
          sealLedger(seenThrough(journal, gate)).then(
            () => {
              end(calls >= at);
            },
            () => {
              end(true);
            },
          );
        });
        if (!isDead) {
          expect(at).toBeGreaterThan(6);
          break;
        }
        expect(await problemsOf(journal, first), `call ${at}`).toEqual(
          // Until its rows are removed, an entry is in a segment and still waits.
          expect.not.arrayContaining([expect.stringMatching(/lost|altered|removed/)]),
        );
        const later = [idOf(90_000), idOf(90_001)];
        await log(journal, later);
        await sealLedger(journal);
        expect(await problemsOf(journal, [...first, ...later]), `call ${at}`).toEqual([]);
        expect(await journal.ledger.unsealed(1)).toEqual([]);
      }
    });
  }

  test("Instances that race, and die, lose and double nothing", async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = generator(seed);
      const journal = makeMemoryJournal();
      const waiting: (() => void)[] = [];
      const ids: string[] = [];
      let [alive, begun] = [0, 0];
      const gate: Gate = async (_effect, call) => {
        await new Promise<void>((go) => waiting.push(go));
        return call();
      };
      for (let turn = 0; turn < 150; turn++) {
        if (alive < 3 && begun < 12) {
          [alive, begun] = [alive + 1, begun + 1];
          void sealLedger(seenThrough(journal, gate)).finally(() => alive--);
        }
        if (random() < 0.3) {
          const id = idOf(ids.length);
          ids.push(id);
          await log(journal, [id]);
        }
        await setImmediate();
        const [next] = waiting.splice(Math.floor(random() * waiting.length), 1);
        // Some calls never return: the instance died.
        if (random() < 0.05) alive--;
        else next?.();
      }
      await setImmediate();
      await sealLedger(journal);
      expect(await problemsOf(journal, ids), `seed ${seed}`).toEqual([]);
      expect(await journal.ledger.unsealed(1), `seed ${seed}`).toEqual([]);
    }
  });
});

import { expect, test } from "vitest";
import { day } from "../../../shared/core/time.ts";
import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { leanBreach, leanItem } from "../../stores/full-breaches.ts";
import { pruneAll, retentionMs, retentionSuite } from "./journal-retention.suite.ts";

retentionSuite("the retention of the journal in memory", () => {
  const began = Date.now();
  let passed = 0;
  const journal = makeMemoryJournal({ now: () => new Date(began + passed), retentionMs });
  return Promise.resolve({
    journal,
    later(milliseconds) {
      passed = milliseconds;
      return Promise.resolve(journal);
    },
  });
});

test("A breach that has ended keeps all of its targets until the whole breach is removed", async () => {
  let passed = 0;
  const journal = makeMemoryJournal({ now: () => new Date(passed), retentionMs });
  const breach = { ...leanBreach("01A"), state: "paused" } as const;
  await journal.addBreach(breach, [leanItem("01A", 1), leanItem("01A", 2)]);
  passed = 100 * day;
  const etag = (await journal.breach("01A"))?.etag ?? "";
  const ended = { ...breach, state: "ended" } as const;
  await journal.commitBreach({ breach: ended, etag, items: [leanItem("01A", 2)] });
  passed += retentionMs - day;
  await pruneAll(journal);
  expect(await journal.breachItems("01A", { limit: 10 })).toHaveLength(2);
  passed += 2 * day;
  await pruneAll(journal);
  expect(await journal.breaches(10)).toEqual([]);
  expect(await journal.breachItems("01A", { limit: 10 })).toEqual([]);
});

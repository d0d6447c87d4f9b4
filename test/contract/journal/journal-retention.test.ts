import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { retentionMs, retentionSuite } from "./journal-retention.suite.ts";

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

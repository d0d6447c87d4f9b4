import { memoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { journalSuite } from "./journal.suite.ts";

journalSuite("the journal in memory", memoryJournal, 300);

import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { journalSuite } from "./journal.suite.ts";

journalSuite("the journal in memory", makeMemoryJournal, 300);

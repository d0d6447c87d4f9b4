import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { ledgerSuite } from "./ledger.suite.ts";

ledgerSuite("the ledger in memory", makeMemoryJournal);

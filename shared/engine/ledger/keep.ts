import { toEvent } from "../../core/events.ts";
import { toInstant } from "../../core/time.ts";
import { JournalUnavailableError } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";
import { sealLedger } from "./seal.ts";

/** Seals what waits. A failure is only logged: the next sweep tries again, and rotations do not depend on it. */
export async function sealInSweep(ports: Pick<Ports, "journal" | "emit">): Promise<void> {
  const { journal, emit } = ports;
  try {
    await sealLedger(journal);
  } catch (error) {
    const detail =
      error instanceof JournalUnavailableError ? error.message : "The ledger could not be sealed.";
    emit(toEvent({ type: "journal-unavailable", at: toInstant(journal.now()), detail }));
  }
}

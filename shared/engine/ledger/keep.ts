import { type EventType, toEvent } from "../../core/events.ts";
import type { Head } from "../../core/ledger/chain.ts";
import { between, hour, type Instant, toInstant } from "../../core/time.ts";
import { JournalUnavailableError, UnreadableRowError } from "../../stores/journal.ts";
import { raiseAlarm } from "../alarm.ts";
import type { Ports } from "../ports.ts";
import { anchorLedger } from "./anchor.ts";
import { ChangedLedgerError } from "./continuation.ts";
import type { makeRefusals } from "./refusals.ts";
import { sealLedger } from "./seal.ts";
import { trimLedger } from "./trim.ts";

/** Milliseconds without a signature after which this is an alarm: until then the next sweep may succeed. */
const maxUnsignedMs = hour;

/**
 * Returns what a sweep does for the ledger: it seals what waits, anchors the newest head, and removes what is too old. A failure stops nothing else: the next
 * sweep tries again. This process raises an alarm that only a person can end once.
 */
export function makeLedgerKeeper(
  refusals: Pick<ReturnType<typeof makeRefusals>, "flush">,
): (ports: Ports) => Promise<void> {
  const raised = new Set<string>();
  let trimAt: Instant | undefined;
  let known: Head | undefined;

  async function raiseOnce(ports: Ports, type: EventType, message: string): Promise<void> {
    if (raised.has(message)) return;
    await raiseAlarm(ports, type, message);
    raised.add(message);
  }

  return async (ports) => {
    const { journal, emit } = ports;
    const at = toInstant(journal.now());
    try {
      await refusals.flush(ports);
      await sealLedger(journal);
      const { head, unsigned } = await anchorLedger(ports, known);
      known = head;
      if (unsigned && between(unsigned.since, at) >= maxUnsignedMs) {
        const message = `The ledger is not signed: ${unsigned.why} Keyturn tries again with every sweep.`;
        await raiseOnce(ports, "ledger-failed", message);
      }
      if (!unsigned) raised.clear();
      if (trimAt === undefined || trimAt <= at) trimAt = await trimLedger(ports);
    } catch (error) {
      if (error instanceof UnreadableRowError || error instanceof ChangedLedgerError) {
        await raiseOnce(ports, "ledger-failed", error.message).catch(() => undefined);
        return;
      }
      const isOutage = error instanceof JournalUnavailableError;
      const detail = isOutage ? error.message : "The ledger could not be sealed.";
      emit(toEvent({ type: isOutage ? "journal-unavailable" : "ledger-failed", at, detail }));
    }
  };
}

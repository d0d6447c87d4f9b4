import {
  type Breach,
  type BreachItem,
  isActive,
  type ItemState,
  recount,
} from "../../core/breach/breach.ts";
import { endIfDone } from "../../core/breach/transitions.ts";
import { splitIntoChunks } from "../../core/chunks.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import { maxItemsInChange, type VersionedBreach } from "../../stores/journal.ts";
import type { Ports } from "../ports.ts";
import { writeBreach } from "./write-breach.ts";

/** An item before and after a change. */
export interface ItemChange {
  readonly from: ItemState;
  readonly item: BreachItem;
}

/** One worker's turn at a breach. The etag of the breach decides: after a write of another worker this one's writes fail. */
export interface BreachSession {
  readonly breach: () => Breach;
  /** Writes the items with their counts. Writes at least the breach. Throws LeaseLostError. */
  readonly write: (
    changes: readonly ItemChange[],
    change?: (breach: Breach) => Breach,
  ) => Promise<void>;
}

export function openBreachSession(
  ports: Pick<Ports, "journal" | "newId">,
  found: VersionedBreach,
): BreachSession {
  let { breach, etag } = found;
  const now = () => toInstant(ports.journal.now());
  return {
    breach: () => breach,
    async write(changes, change = (one) => one) {
      const batches = splitIntoChunks(changes, maxItemsInChange);
      for (const batch of batches.length === 0 ? [[]] : batches) {
        const moved = batch.map(({ from, item }) => ({ from, to: item.state }));
        const counted = { ...change(breach), counts: recount(breach.counts, moved) };
        const next = withNextAt(endIfDone(counted, now()), now());
        etag = await writeBreach(ports, {
          breach: next,
          before: breach,
          etag,
          items: batch.map(({ item }) => item),
        });
        breach = next;
      }
    },
  };
}

/** An active breach has a moment when a worker must advance it, and another one has none. */
export function withNextAt(breach: Breach, now: Instant): Breach {
  const { nextAt, ...rest } = breach;
  return isActive(breach) ? { ...rest, nextAt: nextAt ?? now } : rest;
}

import {
  type Journal,
  type JournalChange,
  JournalUnavailableError,
} from "../../../shared/stores/journal.ts";
import { makeMemoryJournal } from "../../../shared/stores/memory/memory-journal.ts";
import { makeMemoryPace } from "../../../shared/stores/memory/memory-pace.ts";
import type { PaceStore } from "../../../shared/stores/pace.ts";
import { targetPartitions, toPartition } from "../../../shared/stores/table/row-keys.ts";
import {
  medianMs,
  type RateLimit,
  rateLimit,
  storageLimits,
  storageRetries,
} from "./measured-services.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface SimulatedStorage {
  /** The content of the tables, without latencies and limits. */
  readonly journal: Journal;
  /** The journal as an instance sees it. */
  readonly remote: Journal;
  /** The marks with which all instances share the limits of vaults. */
  readonly pace: PaceStore;
  /** Answers ServerBusy of partitions so far. */
  busy(): number;
  transactions(): number;
  /** Rows that these transactions touched. */
  entities(): number;
}

export interface StorageDeps {
  readonly clock: SimulatedClock;
  readonly latency: (median: number) => number;
  /** The limit of the storage account. */
  readonly account: RateLimit;
}

/** Table storage with the latencies and limits of the model. Clients retry like those of `shared/stores`. */
export function simulatedStorage(deps: StorageDeps): SimulatedStorage {
  const { clock, latency } = deps;
  const journal = makeMemoryJournal({ now: () => new Date(clock.now()) });
  const partitions = new Map(
    targetPartitions.map((name) => [name, rateLimit(storageLimits.partition)]),
  );
  const ask = asker(deps, (targetId) => partitions.get(toPartition(targetId)));
  const wakes = new Map<string, string | undefined>();
  let [transactions, entities] = [0, 0];

  /** Queries partitions in parallel, and the pages of a partition one after another. */
  async function list<Rows extends readonly unknown[]>(call: () => Promise<Rows>): Promise<Rows> {
    const rows = await call();
    const pages = 1 + Math.floor(rows.length / targetPartitions.length / page);
    for (let done = 0; done < pages; done++) await clock.sleep(latency(medianMs.tablePage));
    return rows;
  }

  const remote: Journal = {
    ...journal,
    read: (targetId) => ask(targetId, 1, () => journal.read(targetId)),
    commit(change) {
      transactions += 1;
      const { targetId } = change.record;
      const touched = countEntities(change, wakes.get(targetId));
      entities += touched;
      return ask(targetId, touched, async () => {
        const etag = await journal.commit(change);
        wakes.set(targetId, change.wakeAt);
        return etag;
      });
    },
    due: (now, limit) => list(() => journal.due(now, limit)),
    /** One transaction for each partition, one after another. */
    async markSent(due, now) {
      for (const some of Map.groupBy(due, ({ targetId }) => toPartition(targetId)).values()) {
        const [first] = some;
        if (first) await ask(first.targetId, some.length, () => journal.markSent(some, now));
      }
    },
    async targets() {
      const listing = await journal.targets();
      await list(() => Promise.resolve(listing.records));
      return listing;
    },
  };
  const marks = makeMemoryPace();
  const pace: PaceStore = {
    read: (vault) => ask(vault, 1, () => marks.read(vault)),
    write: (vault, freeAt, etag) => ask(vault, 1, () => marks.write(vault, freeAt, etag)),
  };
  return {
    ...{ journal, remote, pace },
    busy: () => partitions.values().reduce((sum, { refused }) => sum + refused, 0),
    transactions: () => transactions,
    entities: () => entities,
  };
}

/** Rows of a page. */
const page = 1_000;

/** Half of the latency passes on the way there, half on the way back. */
function asker(
  { clock, latency, account }: StorageDeps,
  partitionFor: (targetId: string) => RateLimit | undefined,
) {
  return async function ask<Result>(
    targetId: string,
    entities: number,
    call: () => Promise<Result>,
  ): Promise<Result> {
    const partition = partitionFor(targetId);
    for (let tries = 0; ; tries++) {
      const each = latency(medianMs.table);
      await clock.sleep(each / 2);
      const isTaken = account.take(entities, clock.now());
      if (isTaken && partition?.take(entities, clock.now()) !== false) {
        return await call().finally(() => clock.sleep(each / 2));
      }
      if (tries === storageRetries.most) {
        throw new JournalUnavailableError("The table is busy (status 503, ServerBusy).");
      }
      await clock.sleep(latency(storageRetries.firstPauseMs * 2 ** tries));
    }
  };
}

/** Rows that a transaction of the Table journal touches: the target, its due row and the superseded one, runs, a key. */
function countEntities({ wakeAt, runs = [], request }: JournalChange, before: string | undefined) {
  const due = wakeAt === undefined ? 0 : 1;
  const superseded = before === undefined || before === wakeAt ? 0 : 1;
  return 1 + due + superseded + runs.length + (request ? 1 : 0);
}

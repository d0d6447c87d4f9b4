import type { BreachItem } from "../../core/breach/breach.ts";
import { LeaseLostError } from "../../core/errors.ts";
import { type Instant } from "../../core/time.ts";
import type { BreachStore } from "../journal.ts";
import { breachColumns, itemColumns, readBreaches } from "../table/breach-columns.ts";
import type { Columns } from "../table/columns.ts";
import { isClosed } from "../table/prune.ts";
import { breachIn, breachItemRow, breachOf, breachRow, isRotationId } from "../table/row-keys.ts";
import type { MemoryLedger } from "./memory-ledger.ts";
import { toPromise } from "./to-promise.ts";

interface StoredRow {
  readonly columns: Columns;
  readonly writtenAt: Instant;
  readonly etag: string;
}

export interface MemoryBreaches {
  readonly store: BreachStore;
  /** Removes at most `limit` rows that were written before this moment, and returns how many. */
  prune(before: Instant, limit: number): number;
}

/** Breaches in memory, with the columns of Table storage. */
export function makeMemoryBreaches(
  now: () => Instant,
  ledger: Pick<MemoryLedger, "keep">,
): MemoryBreaches {
  const rows: Rows = { heads: new Map(), items: new Map() };
  const { heads, items } = rows;
  let writes = 0;
  const row = (columns: Columns): StoredRow => ({
    columns,
    writtenAt: now(),
    etag: `memory-breach-${++writes}`,
  });
  const itemRow = (item: BreachItem) =>
    [breachItemRow(item.breachId, item.place), row(itemColumns.write(item))] as const;
  return {
    store: {
      ...readersOf(rows),
      addBreach: toPromise((breach, added, entries) => {
        ledger.keep(entries);
        for (const item of added) items.set(...itemRow(item));
        heads.set(breachRow(breach.id), row(breachColumns.write(breach)));
      }),
      commitBreach: toPromise(({ breach, etag, items: changed, entries }) => {
        const head = row(breachColumns.write(breach));
        const written = changed.map(itemRow);
        if (heads.get(breachRow(breach.id))?.etag !== etag) {
          throw new LeaseLostError(`Breach ${breach.id} was changed by another writer.`);
        }
        ledger.keep(entries);
        heads.set(breachRow(breach.id), head);
        for (const one of written) items.set(...one);
        return head.etag;
      }),
    },
    prune(before, limit) {
      const isOver = (key: string) => {
        const head = heads.get(breachRow(breachOf(key) ?? ""));
        return !head || (isClosed(head.columns["state"]) && head.writtenAt < before);
      };
      const old = [heads, items].flatMap((some) =>
        [...some]
          .filter(([key, { writtenAt }]) => writtenAt < before && isOver(key))
          .map(([key]) => ({ some, key })),
      );
      for (const { some, key } of old.slice(0, limit)) some.delete(key);
      return Math.min(old.length, limit);
    },
  };
}

interface Rows {
  readonly heads: Map<string, StoredRow>;
  readonly items: Map<string, StoredRow>;
}

function readersOf({
  heads,
  items,
}: Rows): Pick<BreachStore, "breaches" | "breach" | "dueBreaches" | "breachItems"> {
  return {
    breaches: toPromise((limit, after) => {
      const from = after === undefined ? "" : breachRow(after);
      const found = inOrder(heads).filter(([key]) => key > from);
      return readBreaches(found.slice(0, limit).map(([key, one]) => [breachIn(key), one.columns]));
    }),
    breach: toPromise((breachId) => {
      const found = isRotationId(breachId) ? heads.get(breachRow(breachId)) : undefined;
      return found && { breach: breachColumns.read(found.columns), etag: found.etag };
    }),
    dueBreaches: toPromise((moment, limit) =>
      inOrder(heads)
        .filter(([, { columns }]) => isDue(columns["nextAt"], moment))
        .map(([key]) => breachIn(key))
        .slice(0, limit),
    ),
    breachItems: toPromise((breachId, { limit, after = 0, states }) =>
      inOrder(items)
        .filter(([key]) => key.startsWith(`item:${breachId}:`))
        .filter(([key]) => key > breachItemRow(breachId, after))
        .filter(([, { columns }]) => states?.some((one) => one === columns["state"]) ?? true)
        .slice(0, limit)
        .map(([, { columns }]) => itemColumns.read(columns)),
    ),
  };
}

function inOrder(rows: ReadonlyMap<string, StoredRow>): [string, StoredRow][] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function isDue(nextAt: unknown, now: Instant): boolean {
  return typeof nextAt === "string" && nextAt <= now;
}

import { randomUUID } from "node:crypto";
import { odata, type TransactionAction } from "@azure/data-tables";
import type { Breach, BreachItem } from "../../core/breach/breach.ts";
import { splitIntoChunks } from "../../core/chunks.ts";
import { LeaseLostError } from "../../core/errors.ts";
import { type BreachChange, type BreachStore, maxItemsInChange } from "../journal.ts";
import { breachColumns, itemColumns, readBreaches } from "./breach-columns.ts";
import { refuseUnstorableEntries } from "./change.ts";
import * as keys from "./row-keys.ts";
import { type Row, type Table, toUnavailableError } from "./table.ts";
import { putWithEntries, toEntryRows } from "./table-ledger.ts";

const partitionKey = keys.breachPartition;

/** How many transactions with items of a new breach are sent at the same time. */
const maxAtOnce = 4;

/** Breaches in Table storage. All are in one partition, so that a transaction can change a breach and its items. */
export function breachesIn(begin: () => Table): BreachStore {
  return {
    breaches: async (limit, after) => {
      const all = keys.breachRows;
      if (after !== undefined && !keys.isRotationId(after)) return [];
      const range = after === undefined ? all : keys.afterRow(keys.breachRow(after), all);
      const rows = await begin().list(partitionKey, range, { limit });
      return readBreaches(rows.map((row) => [keys.breachIn(row.rowKey ?? ""), row] as const));
    },
    breach: async (breachId) => {
      const row = await readHead(begin(), breachId);
      return row && { breach: breachColumns.read(row), etag: row.etag };
    },
    dueBreaches: async (now, limit) => {
      const filter = odata`nextAt le ${now}`;
      const only = { limit, filter, columns: ["rowKey"] };
      const rows = await begin().list(partitionKey, keys.breachRows, only);
      return rows.map(({ rowKey = "" }) => keys.breachIn(rowKey));
    },
    breachItems: async (breachId, { limit, after, states }) => {
      if (!keys.isRotationId(breachId)) return [];
      const all = keys.breachItemRows(breachId);
      const range =
        after === undefined ? all : keys.afterRow(keys.breachItemRow(breachId, after), all);
      const filter = states?.map((state) => `state eq '${state}'`).join(" or ");
      const rows = await begin().list(partitionKey, range, {
        limit,
        ...(filter !== undefined && { filter: `(${filter})` }),
      });
      return rows.map((row) => itemColumns.read(row));
    },
    addBreach: async (breach, items, entries) => {
      requireId(breach);
      for (const batches of splitIntoChunks(splitIntoChunks(items, maxItemsInChange), maxAtOnce)) {
        await Promise.all(batches.map((batch) => put(begin(), batch)));
      }
      // Without its head nobody knows the breach, so the head comes last.
      await putWithEntries(begin(), headRow(breach), entries);
    },
    commitBreach: (change) => commit(begin(), change),
  };
}

async function commit(table: Table, change: BreachChange): Promise<string> {
  const { breach, etag, items, entries } = change;
  requireId(breach);
  refuseUnstorableEntries(entries);
  const writeId = randomUUID();
  const result = await table.submit([
    ["update", { ...headRow(breach), writeId }, "Replace", { etag }],
    ...items.map(upsert),
    ...toEntryRows(partitionKey, entries),
  ]);
  if ("etag" in result) return result.etag;
  // The reply may be lost, and the retry of the SDK then met the row that it had just written.
  const now = await readHead(table, breach.id);
  if (now?.["writeId"] === writeId) return now.etag;
  if (now?.etag !== etag) {
    throw new LeaseLostError(`Breach ${breach.id} was changed by another writer.`);
  }
  throw toUnavailableError(result.failure);
}

async function put(table: Table, items: readonly BreachItem[]): Promise<void> {
  const result = await table.submit(items.map(upsert));
  if ("failure" in result) throw toUnavailableError(result.failure);
}

function upsert(item: BreachItem): TransactionAction {
  const rowKey = keys.breachItemRow(item.breachId, item.place);
  return ["upsert", { partitionKey, rowKey, ...itemColumns.write(item) }, "Replace"];
}

function headRow(breach: Breach) {
  return { partitionKey, rowKey: keys.breachRow(breach.id), ...breachColumns.write(breach) };
}

async function readHead(table: Table, breachId: string): Promise<Row | undefined> {
  if (!keys.isRotationId(breachId)) return undefined;
  return table.read(partitionKey, keys.breachRow(breachId));
}

function requireId({ id }: Breach): void {
  if (!keys.isRotationId(id)) throw new Error("A breach id must have 1 to 64 plain characters.");
}

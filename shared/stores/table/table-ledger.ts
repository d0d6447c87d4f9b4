import { randomUUID } from "node:crypto";
import type { TableEntity, TransactionAction } from "@azure/data-tables";
import { LeaseLostError } from "../../core/errors.ts";
import {
  type AnchoredHead,
  type ChainedEntry,
  type ChainStart,
  newChain,
  type Segment,
} from "../../core/ledger/chain.ts";
import type { LedgerEntry } from "../../core/ledger/entry.ts";
import { readChainedEntry, readEntry, writeEntry } from "../../core/ledger/stored-entry.ts";
import { toInstant } from "../../core/time.ts";
import { UnreadableRowError } from "../journal.ts";
import type { Anchor, LedgerStore, Placed, Unsealed } from "../ledger-store.ts";
import { refuseUnstorableEntries } from "./change.ts";
import { readHead, writeHead } from "./ledger-columns.ts";
import * as keys from "./row-keys.ts";
import { type Row, type Table, toUnavailableError } from "./table.ts";

const partitionKey = keys.ledgerPartition;

/**
 * The ledger in the journal's table. An entry waits in the partition of its effect until a segment contains it. All segments are in one
 * partition, and each is one transaction.
 */
export function makeTableLedger(begin: () => Table, expiry: () => Date): LedgerStore {
  return {
    log: async (entries) => {
      await putWithEntries(begin(), { partitionKey, rowKey: keys.ledgerLogRow }, entries);
    },
    unsealed: (limit) => listUnsealed(begin(), limit),
    latest: async () => {
      const [row] = await begin().list(partitionKey, keys.allSegmentRows, { limit: 1 });
      return row && { ...requireHead(row), isCleared: row["cleared"] === true };
    },
    start: async () => toStart(await begin().read(partitionKey, keys.ledgerStartRow)),
    expiry: () => toInstant(expiry()),
    add: (head, entries) => add(begin(), head, entries),
    clear: (segment) => clear(begin(), segment),
    segments: async (first, last) =>
      toSegments(await begin().list(partitionKey, keys.segmentRows(first, last))),
    anchor: async (segment, anchor) => {
      await mergeHead(begin(), segment, writeAnchor(anchor));
    },
    trim: (removed, start, entry) => trim(begin(), removed, start, entry),
  };
}

/** The rows of entries that are not in the chain yet, for the transaction of their effect. */
export function toEntryRows(
  partition: string,
  entries: readonly LedgerEntry[] = [],
): TransactionAction[] {
  return entries.map((entry) => {
    const rowKey = keys.entryRow(entry.at, entry.id);
    return ["upsert", { partitionKey: partition, rowKey, entry: writeEntry(entry) }, "Replace"];
  });
}

/** The most races that one write may lose. */
const maxRaces = 20;

/**
 * Writes the row, whatever it contains now, and the entries in one transaction. The write depends on the etag: a transaction that the
 * client repeats after a lost reply must not store an entry again that was sealed meanwhile.
 */
export async function putWithEntries(
  table: Table,
  row: TableEntity & { readonly partitionKey: string; readonly rowKey: string },
  entries: readonly LedgerEntry[] = [],
): Promise<void> {
  refuseUnstorableEntries(entries);
  const writeId = randomUUID();
  const read = () => table.read(row.partitionKey, row.rowKey);
  let before = await read();
  for (let races = 0; races < maxRaces; races++) {
    const written = { ...row, writeId };
    const result = await table.submit([
      before ? ["update", written, "Replace", { etag: before.etag }] : ["create", written],
      ...toEntryRows(row.partitionKey, entries),
    ]);
    if ("etag" in result) return;
    const now = await read();
    if (now?.["writeId"] === writeId) return;
    if (now?.etag === before?.etag) throw toUnavailableError(result.failure);
    before = now;
  }
  throw new LeaseLostError(`Row ${row.rowKey} was changed by other writers.`);
}

async function listUnsealed(table: Table, limit: number): Promise<Unsealed[]> {
  const found = await Promise.all(
    keys.entryPartitions.map(async (partition) => {
      const rows = await table.list(partition, keys.entryRows, { limit });
      return rows.map((row): Unsealed => {
        const rowKey = row.rowKey ?? "";
        const entry = readEntry(row["entry"], keys.entryIn(rowKey));
        return { entry, place: `${partition}/${rowKey}` };
      });
    }),
  );
  return found.flat().sort(byAge).slice(0, limit);
}

function byAge({ entry: a }: Unsealed, { entry: b }: Unsealed): number {
  return `${a.at}${a.id}` < `${b.at}${b.id}` ? -1 : 1;
}

async function add(table: Table, head: AnchoredHead, entries: readonly Placed[]): Promise<boolean> {
  const { segment } = head;
  const result = await table.submit([
    ["create", { partitionKey, rowKey: keys.segmentRow(segment, 0), ...writeHead(head) }],
    ...entries.map(({ sequence, previous, hash, entry, place }, index): TransactionAction => {
      const rowKey = keys.segmentRow(segment, index + 1);
      const columns = { sequence, previous, hash, entry: writeEntry(entry), place };
      return ["create", { partitionKey, rowKey, ...columns }];
    }),
  ]);
  if ("etag" in result) return true;
  if (result.failure.code === "EntityAlreadyExists") return false;
  throw toUnavailableError(result.failure);
}

const maxRounds = 5;

async function clear(table: Table, segment: number): Promise<void> {
  const rows = await table.list(partitionKey, keys.segmentRows(segment, segment));
  const places = rows.flatMap((row) => (typeof row["place"] === "string" ? [row["place"]] : []));
  const byPartition = Map.groupBy(places, (place) => place.slice(0, place.indexOf("/")));
  await Promise.all(
    [...byPartition].map(([partition, found]) =>
      removeEntries(
        table,
        partition,
        found.map((place) => place.slice(partition.length + 1)),
      ),
    ),
  );
  await mergeHead(table, segment, { cleared: true });
}

/** Removes the rows, some of which another instance may have removed. */
async function removeEntries(
  table: Table,
  partition: string,
  rowKeys: readonly string[],
): Promise<void> {
  // No other rows: what is removed here must be in the chain, whatever a forged place says.
  let left = keys.entryPartitions.includes(partition)
    ? rowKeys.filter((rowKey) => rowKey.startsWith("entry:")).sort()
    : [];
  for (let rounds = 0; rounds < maxRounds && left.length > 0; rounds++) {
    if ((await table.remove(partition, left)) > 0) return;
    const range = { from: left[0] ?? "", before: `${left.at(-1) ?? ""}!` };
    const rows = await table.list(partition, range, { columns: ["rowKey"] });
    const known = new Set(rows.map(({ rowKey }) => rowKey));
    left = left.filter((rowKey) => known.has(rowKey));
  }
}

/** Changes columns of a head. A segment that was trimmed meanwhile needs no change. */
async function mergeHead(table: Table, segment: number, columns: object): Promise<void> {
  const row = { partitionKey, rowKey: keys.segmentRow(segment, 0), ...columns };
  const result = await table.submit([["update", row, "Merge"]]);
  if ("etag" in result || result.failure.code === "ResourceNotFound") return;
  throw toUnavailableError(result.failure);
}

function writeAnchor({ signature, toldTo, anchoredAt, unsignedSince }: Anchor) {
  return {
    ...(signature && { key: signature.key, signature: signature.value }),
    ...(toldTo && { toldTo: JSON.stringify(toldTo) }),
    ...(anchoredAt !== undefined && { anchoredAt }),
    ...(unsignedSince !== undefined && { unsignedSince }),
  };
}

async function trim(
  table: Table,
  removed: readonly Segment[],
  start: ChainStart,
  entry: LedgerEntry,
): Promise<void> {
  const rows = removed.flatMap(({ head, entries }) =>
    [head, ...entries].map((_, position) => keys.segmentRow(head.segment, position)),
  );
  const result = await table.submit([
    ["upsert", { partitionKey, rowKey: keys.ledgerStartRow, ...start }, "Replace"],
    ...rows.map((rowKey): TransactionAction => ["delete", { partitionKey, rowKey }]),
    ...toEntryRows(partitionKey, [entry]),
  ]);
  if ("etag" in result) return;
  if (result.failure.code !== "ResourceNotFound") throw toUnavailableError(result.failure);
}

function toStart(row: Row | undefined): ChainStart {
  if (!row) return newChain;
  const { segment, sequence, hash } = row;
  if (typeof segment === "number" && typeof sequence === "number" && typeof hash === "string") {
    return { segment, sequence, hash };
  }
  throw new UnreadableRowError(
    `The row ${keys.ledgerStartRow} of the ledger cannot be read. Restore it from a backup.`,
    false,
  );
}

function requireHead(row: Row): AnchoredHead {
  const rowKey = row.rowKey ?? "";
  const head = keys.positionIn(rowKey) === 0 ? readHead(keys.segmentIn(rowKey), row) : undefined;
  if (head) return head;
  throw new UnreadableRowError(
    `The head of segment ${keys.segmentIn(rowKey)} of the ledger cannot be read. Restore it from a backup.`,
    false,
  );
}

/** Rows come newest segment first. A head that is missing or damaged is left out with its segment's number kept by its entries. */
function toSegments(rows: readonly Row[]): Segment[] {
  const bySegment = Map.groupBy(rows, (row) => keys.segmentIn(row.rowKey ?? ""));
  return [...bySegment]
    .sort(([a], [b]) => a - b)
    .map(([segment, own]) => {
      const entries = own
        .filter((row) => keys.positionIn(row.rowKey ?? "") > 0)
        .map((row) => toChained(row));
      const headRow = own.find((row) => keys.positionIn(row.rowKey ?? "") === 0);
      const head = (headRow && readHead(segment, headRow)) ?? missingHead(segment);
      return { head, entries };
    });
}

/** An export shows it as a head that fits nothing, so that `verify` names it. */
function missingHead(segment: number): AnchoredHead {
  const at = "1970-01-01T00:00:00.000Z";
  return { segment, first: 0, sequence: 0, hash: newChain.hash, at };
}

function toChained(row: Row): ChainedEntry {
  const sequence = Number.isSafeInteger(row["sequence"]) ? Number(row["sequence"]) : 0;
  const [previous, hash] = [String(row["previous"]), String(row["hash"])];
  return { sequence, previous, hash, entry: readChainedEntry(row["entry"]) };
}

import { randomUUID } from "node:crypto";
import { odata, type TransactionAction } from "@azure/data-tables";
import { splitIntoChunks } from "../../core/chunks.ts";
import { LeaseLostError } from "../../core/errors.ts";
import { isOnlyHeartbeat } from "../../core/lifecycle/heartbeat.ts";
import { goesFirst } from "../../core/record/first.ts";
import { defaultRetentionMs } from "../../core/record/retention.ts";
import { computeSentUntil } from "../../core/record/sent.ts";
import { isTargetId } from "../../core/target.ts";
import type { Instant } from "../../core/time.ts";
import type { Due, Journal, JournalChange, Retaining } from "../journal.ts";
import type { StorageConnection } from "../storage-access.ts";
import { breachesIn } from "./breaches.ts";
import { keepLastOfEach, refuseUnstorable, refuseUnstorableEntries } from "./change.ts";
import {
  alarmColumns,
  freezeColumns,
  readAlarms,
  readFreezes,
  readListing,
  readRuns,
  runColumns,
  targetColumns,
} from "./columns.ts";
import { isExpired, keyPlace, readKeyUse, submitNewKey, writeKeyUse } from "./key-rows.ts";
import { makePruner } from "./prune.ts";
import * as keys from "./row-keys.ts";
import {
  type ListOptions,
  openTable,
  type Row,
  type Submitted,
  type Table,
  type TableOptions,
  toUnavailableError,
} from "./table.ts";
import { makeTableLedger, putWithEntries, toEntryRows } from "./table-ledger.ts";

/** The content of an etag of this journal. Its wake time identifies the due row that a commit must replace. */
interface Seen {
  readonly etag: string;
  readonly wakeAt: Instant | undefined;
}

/**
 * The journal in Azure Table storage. Each target is one row; its due row, its rotations and its idempotency keys are in
 * the same partition, so that one transaction changes them all. The table is created if it does not exist.
 */
export function makeTableJournal(
  connection: StorageConnection,
  tableName: string,
  { retentionMs = defaultRetentionMs, ...options }: TableOptions & Retaining = {},
): Journal {
  const { begin, now } = openTable(connection, tableName, options);
  const expiry = () => new Date(now().getTime() - retentionMs);
  return {
    now,
    prune: makePruner(begin, expiry),
    read: async (targetId) => {
      const row = await readTarget(begin(), targetId);
      return row && { record: targetColumns.read(row), etag: joinEtag(seenIn(row)) };
    },
    commit: (change) => commit(begin(), change),
    ...dueIn(begin),
    targets: async () => {
      const rows = await listAllShards(begin(), keys.targetRows);
      return readListing(rows.map((row) => [keys.targetIn(row.rowKey ?? ""), row] as const));
    },
    ...historyIn(begin, expiry),
    ...freezesIn(begin, expiry),
    ...breachesIn(begin),
    ledger: makeTableLedger(begin, expiry),
  };
}

/** A row from an earlier version has no mark, which counts as an expired mark. */
function dueIn(begin: () => Table): Pick<Journal, "due" | "markSent"> {
  return {
    due: async (now, limit) => {
      const columns = ["rowKey", "targetId", "wakeAt", "sent", "isFirst", "isHeartbeat"];
      const filter = odata`not (sentUntil gt ${now})`;
      const rows = await listAllShards(begin(), keys.dueRows(now), { limit, columns, filter });
      const inOrder = rows.sort((a, b) => ((a.rowKey ?? "") < (b.rowKey ?? "") ? -1 : 1));
      return inOrder.slice(0, limit).map((row) => ({
        targetId: String(row["targetId"]),
        wakeAt: keys.dueMoment(row.rowKey ?? ""),
        sent: Number(row["sent"] ?? 0),
        isFirst: row["isFirst"] === true,
        ...(row["isHeartbeat"] === true && { isHeartbeat: true as const }),
      }));
    },
    markSent: async (due, now) => {
      const byShard = Map.groupBy(due, ({ targetId }) => keys.toPartition(targetId));
      for (const [shard, rows] of byShard) {
        for (const batch of splitIntoChunks(rows, maxRowsInTransaction)) {
          await markInShard(begin(), shard, batch, now);
        }
      }
    },
  };
}

/** How many rows a transaction may touch. */
const maxRowsInTransaction = 100;
const maxRounds = 5;

/** A worker may have moved some of the rows meanwhile; the service then marks none of them. */
async function markInShard(
  table: Table,
  partitionKey: string,
  due: readonly Due[],
  now: Instant,
): Promise<void> {
  let left = due;
  for (let rounds = 0; rounds < maxRounds && left.length > 0; rounds++) {
    const result = await table.submit(
      left.map(({ targetId, wakeAt, sent, isFirst }) => {
        const rowKey = keys.dueRow(wakeAt, targetId);
        const mark = { sent: sent + 1, sentUntil: computeSentUntil(sent + 1, isFirst, now) };
        return ["update", { partitionKey, rowKey, ...mark }, "Merge"];
      }),
    );
    if ("etag" in result) return;
    if (result.failure.code !== "ResourceNotFound") throw toUnavailableError(result.failure);
    const rows = await table.list(partitionKey, keys.dueRows(now), { columns: ["rowKey"] });
    const known = new Set(rows.map(({ rowKey }) => rowKey));
    left = left.filter(({ wakeAt, targetId }) => known.has(keys.dueRow(wakeAt, targetId)));
  }
}

type History = Pick<Journal, "run" | "runs" | "request" | "raise" | "alarms">;

/** Rotations, idempotency keys and alarms, which are kept for a limited time. */
function historyIn(begin: () => Table, expiry: () => Date): History {
  return {
    run: async (targetId, rotationId) => {
      if (!isTargetId(targetId) || !keys.isRotationId(rotationId)) return undefined;
      const rowKey = keys.runRow(targetId, rotationId);
      const row = await begin().read(keys.toPartition(targetId), rowKey);
      return row && runColumns.read(row);
    },
    runs: async (targetId, limit, after) => {
      if (!isTargetId(targetId) || !(after === undefined || keys.isRotationId(after))) return [];
      const all = keys.runRows(targetId);
      const range = after === undefined ? all : keys.afterRow(keys.runRow(targetId, after), all);
      const rows = await begin().list(keys.toPartition(targetId), range, { limit });
      return readRuns(
        targetId,
        rows.map((row) => [keys.rotationIn(row.rowKey ?? ""), row] as const),
      );
    },
    request: async (targetId, key) => {
      if (targetId !== undefined && !isTargetId(targetId)) return undefined;
      const row = await begin().read(...keyPlace(targetId, key));
      return row && !isExpired(row, expiry()) ? readKeyUse(row) : undefined;
    },
    raise: async (alarm) => {
      const rowKey = keys.alarmRow(alarm.at, alarm.id);
      const columns = alarmColumns.write(alarm);
      await begin().put({ partitionKey: keys.alarmPartition, rowKey, ...columns });
    },
    alarms: async (limit, after) => {
      const all = keys.alarmRows;
      const range = after ? keys.afterRow(keys.alarmPlace(after), all) : all;
      const rows = await begin().list(keys.alarmPartition, range, { limit });
      return readAlarms(
        rows.map(({ rowKey = "", ...row }) => [keys.momentIn(rowKey), rowKey, row] as const),
      );
    },
  };
}

type Freezes = Pick<Journal, "freezes" | "putFreeze" | "keepRequest">;

function freezesIn(begin: () => Table, expiry: () => Date): Freezes {
  return {
    keepRequest: (request) => submitNewKey(begin(), request, [], expiry()),
    freezes: async () => {
      const rows = await begin().list(keys.freezePartition, keys.freezeRows);
      return readFreezes(rows.map((row) => [keys.freezeIn(row.rowKey ?? ""), row] as const));
    },
    putFreeze: async (freeze, entries, request) => {
      const rowKey = keys.freezeRow(freeze.id);
      const columns = freezeColumns.write(freeze);
      const row = { partitionKey: keys.freezePartition, rowKey, ...columns };
      if (!request) {
        await putWithEntries(begin(), row, entries);
        return;
      }
      refuseUnstorableEntries(entries);
      const others: TransactionAction[] = [
        ["upsert", row, "Replace"],
        ...toEntryRows(row.partitionKey, entries),
      ];
      await submitNewKey(begin(), request, others, expiry());
    },
  };
}

/** One write, with an id that distinguishes it from other writes. */
interface Write {
  readonly change: JournalChange;
  readonly before: Seen | undefined;
  readonly writeId: string;
}

async function commit(table: Table, change: JournalChange): Promise<string> {
  refuseUnstorable(change);
  const before = change.etag === undefined ? undefined : splitEtag(change.etag);
  if (change.etag !== undefined && before === undefined) throw lost(change);
  const write = { change, before, writeId: randomUUID() };
  const [actions, oldDue] = [newRows(write), oldDueRow(write)];

  let result = await submit(table, write, [...actions, ...oldDue]);
  // A person removed the old due row by hand. That must not stop the target for ever.
  const dueRowIsMissing = "failure" in result && result.failure.code === "ResourceNotFound";
  if (dueRowIsMissing && oldDue.length > 0) result = await submit(table, write, actions);
  if ("failure" in result) throw toUnavailableError(result.failure);
  return joinEtag({ etag: result.etag, wakeAt: change.wakeAt });
}

/**
 * A transaction with an error, or without an answer, may have taken effect: the reply was lost, and the retry of the SDK then met the
 * row that it had just written. The write id in the row distinguishes that from the write of another worker.
 */
async function submit(
  table: Table,
  { change, before, writeId }: Write,
  actions: TransactionAction[],
): Promise<Submitted> {
  const result = await table.submit(actions);
  if ("etag" in result) return result;
  const now = await readTarget(table, change.record.targetId);
  if (now?.["writeId"] === writeId) return { etag: now.etag };
  if (now?.etag !== before?.etag) throw lost(change);
  return result;
}

const notSent = { sent: 0, sentUntil: "" };

/** The row of the target comes first: its condition decides, and its etag is returned. */
function newRows({ change, before, writeId }: Write): TransactionAction[] {
  const { record, wakeAt, request } = change;
  const { targetId } = record;
  const partitionKey = keys.toPartition(targetId);
  const target = {
    partitionKey,
    rowKey: keys.targetRow(targetId),
    ...targetColumns.write(record),
    ...(wakeAt !== undefined && { wakeAt }),
    writeId,
  };
  const others = keepLastOfEach(change.runs).map((run) => ({
    partitionKey,
    rowKey: keys.runRow(targetId, run.rotationId),
    ...runColumns.write(run),
  }));
  const due = wakeAt !== undefined && {
    rowKey: keys.dueRow(wakeAt, targetId),
    ...{ targetId, wakeAt, isFirst: goesFirst(record) },
    ...(isOnlyHeartbeat(record, wakeAt) && { isHeartbeat: true }),
    ...notSent,
  };
  const known = request && {
    rowKey: keys.requestRow(targetId, request.key),
    targetId,
    ...writeKeyUse(request),
  };
  return [
    before ? ["update", target, "Replace", { etag: before.etag }] : ["create", target],
    ...[...others, due, known]
      .filter((row) => row !== false && row !== undefined)
      .map((row): TransactionAction => ["upsert", { ...row, partitionKey }, "Replace"]),
    ...toEntryRows(partitionKey, change.entries),
  ];
}

/** A transaction may touch a row only once: an unmoved due row is replaced, not deleted. */
function oldDueRow({ change, before }: Write): TransactionAction[] {
  const wakeAt = before?.wakeAt;
  if (wakeAt === undefined || wakeAt === change.wakeAt) return [];
  const { targetId } = change.record;
  const rowKey = keys.dueRow(wakeAt, targetId);
  return [["delete", { partitionKey: keys.toPartition(targetId), rowKey }]];
}

async function readTarget(table: Table, targetId: string): Promise<Row | undefined> {
  if (!isTargetId(targetId)) return undefined;
  return await table.read(keys.toPartition(targetId), keys.targetRow(targetId));
}

async function listAllShards(
  table: Table,
  range: keys.RowRange,
  options: ListOptions = {},
): Promise<Row[]> {
  const shards = keys.targetPartitions.map((shard) => table.list(shard, range, options));
  return (await Promise.all(shards)).flat();
}

function lost({ record }: JournalChange): LeaseLostError {
  return new LeaseLostError(`Target ${record.targetId} was changed by another writer.`);
}

function seenIn(row: Row): Seen {
  const wakeAt = row["wakeAt"];
  return { etag: row.etag, wakeAt: typeof wakeAt === "string" ? wakeAt : undefined };
}

function joinEtag({ etag, wakeAt }: Seen): string {
  return `${wakeAt ?? "asleep"} ${etag}`;
}

/** Undefined for a text that is not an etag of this journal. */
function splitEtag(joined: string): Seen | undefined {
  const [, wakeAt, etag] = /^(\S+) (W\/"\S+")$/.exec(joined) ?? [];
  if (wakeAt === undefined || etag === undefined) return undefined;
  return { etag, wakeAt: keys.isInstant(wakeAt) ? wakeAt : undefined };
}

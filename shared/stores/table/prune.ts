import { randomInt } from "node:crypto";
import { odata } from "@azure/data-tables";
import { splitIntoChunks } from "../../core/chunks.ts";
import { isFinal } from "../../core/record/history.ts";
import { recordSchema } from "../../core/record/record.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import { isExpired } from "./key-rows.ts";
import * as keys from "./row-keys.ts";
import type { Row, Table } from "./table.ts";

const partitions = [
  ...keys.targetPartitions,
  keys.alarmPartition,
  keys.freezePartition,
  keys.breachPartition,
];

/** How many queries for the newest rotation of a target, or for the head of a breach, run at the same time. */
const maxAtOnce = 10;

/**
 * Goes through the partitions, one page of old rows in each call, and removes rows that are no longer needed. The position is in
 * memory only, so a new process begins with any partition.
 */
export function makePruner(
  begin: () => Table,
  expiry: () => Date,
): (limit: number) => Promise<number> {
  let place: Place = { turn: randomInt(partitions.length), from: undefined };
  return async (limit) => {
    const { turn, from } = place;
    // After any failure, the next call continues with another partition.
    place = { turn: (turn + 1) % partitions.length, from: undefined };
    const partition = partitions[turn] ?? keys.alarmPartition;
    const table = begin();
    const filter = oldRows(partition, expiry());
    const { rows, rest } = await table.page({ partition, filter, columns, limit, from });
    const ours = rows.filter(isOurs).map((row) => row.rowKey ?? "");
    const old =
      partition === keys.breachPartition
        ? await withoutOpenBreaches(table, ours, expiry())
        : await withoutNewestRuns(table, partition, ours);
    const removed = await table.remove(partition, old);
    if (rest !== undefined) place = { turn, from: rest };
    return removed;
  };
}

/** The current partition, and where its next page begins. */
interface Place {
  readonly turn: number;
  readonly from: string | undefined;
}

const columns = ["rowKey", "schema", "state"];

/**
 * A key or an alarm is written once, so the time stamp of its row is its age. A rotation has the time of its end; open rotations are
 * not included.
 */
function oldRows(partition: string, before: Date): string {
  const instant = toInstant(before);
  if (partition === keys.alarmPartition) {
    const { from, before: end } = keys.alarmRowsBefore(instant);
    return odata`RowKey ge ${from} and RowKey lt ${end}`;
  }
  if (partition === keys.breachPartition) {
    // Entries for the ledger stay until they are in its chain.
    const { from, before: end } = keys.entryRows;
    return odata`Timestamp lt ${before} and (RowKey lt ${from} or RowKey ge ${end})`;
  }
  const { from, before: end } = keys.allKeyRows;
  const keyRows = odata`RowKey ge ${from} and RowKey lt ${end} and Timestamp lt ${before}`;
  const others =
    partition === keys.freezePartition
      ? odata`until lt ${instant} or endedAt lt ${instant}`
      : oldRuns(instant);
  return `(${keyRows}) or (${others})`;
}

function oldRuns(before: Instant): string {
  const { from, before: end } = keys.allRunRows;
  return odata`RowKey ge ${from} and RowKey lt ${end} and endedAt lt ${before}`;
}

/**
 * The rows whose breach is over and was last written before the retention. So a breach keeps all of its targets, of which some may not
 * have changed for long.
 */
async function withoutOpenBreaches(
  table: Table,
  found: readonly string[],
  before: Date,
): Promise<readonly string[]> {
  const ids = new Set(found.map((key) => keys.breachOf(key)).filter((id) => id !== undefined));
  const kept = new Set<string | undefined>();
  for (const some of splitIntoChunks([...ids], maxAtOnce)) {
    const heads = some.map((id) => table.read(keys.breachPartition, keys.breachRow(id)));
    for (const [index, head] of (await Promise.all(heads)).entries()) {
      if (head && !isOver(head, before)) kept.add(some[index]);
    }
  }
  return found.filter((key) => !kept.has(keys.breachOf(key)));
}

function isOver(head: Row, before: Date): boolean {
  return isOurs(head) && isClosed(head["state"]) && isExpired(head, before);
}

/** Whether a breach in this state needs nothing any more once it is old: a preview cannot be confirmed then. */
export function isClosed(state: unknown): boolean {
  return state === "ended" || state === "preview";
}

/** The rows without the newest rotation of each target, which stays, whatever its age. */
async function withoutNewestRuns(
  table: Table,
  partition: string,
  found: readonly string[],
): Promise<readonly string[]> {
  // Rotations of a target follow each other, the newest first.
  const first = found.filter((key, index) => {
    const target = keys.targetOfRun(key);
    return target !== undefined && target !== keys.targetOfRun(found[index - 1] ?? "");
  });
  const newest = new Set<string>();
  for (const some of splitIntoChunks(first, maxAtOnce)) {
    const asked = some.map((key) => newestRun(table, partition, keys.targetOfRun(key) ?? ""));
    for (const key of await Promise.all(asked)) if (key !== undefined) newest.add(key);
  }
  return found.filter((key) => !newest.has(key));
}

/** Whether the row may be removed: of rotations, only those that have ended. Rows of a newer version of Keyturn stay. */
function isOurs(row: Row): boolean {
  const { schema, state } = row;
  if (keys.targetOfRun(row.rowKey ?? "") === undefined) {
    return typeof schema !== "number" || schema <= recordSchema;
  }
  const isKnown = typeof schema === "number" && schema <= recordSchema;
  return isKnown && isFinal(String(state));
}

async function newestRun(
  table: Table,
  partition: string,
  targetId: string,
): Promise<string | undefined> {
  const only = { limit: 1, columns: ["rowKey"] };
  const [row] = await table.list(partition, keys.runRows(targetId), only);
  return row?.rowKey;
}

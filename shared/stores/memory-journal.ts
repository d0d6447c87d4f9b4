import { LeaseLostError } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import { lastOfEach, refuseUnstorable } from "./change.ts";
import {
  alarmColumns,
  type Columns,
  readAlarms,
  readListing,
  readRuns,
  runColumns,
  targetColumns,
} from "./columns.ts";
import type { Journal, JournalChange, KeyUse } from "./journal.ts";
import {
  alarmPlace,
  alarmRow,
  isRotationId,
  momentIn,
  requestRow,
  rotationIn,
  runRow,
} from "./row-keys.ts";

interface StoredTarget {
  readonly columns: Columns;
  readonly etag: string;
  readonly wakeAt: Instant | undefined;
  /** By row key, which sorts newest first. */
  readonly runs: ReadonlyMap<string, Columns>;
  readonly requests: ReadonlyMap<string, KeyUse>;
}

export interface MemoryJournalOptions {
  /** The journal's own clock; default that of the machine. */
  readonly now?: () => Date;
}

/** Forgets everything with its process. Stores the same columns as the Table journal, so what it gives back is a copy. */
export function memoryJournal({ now = () => new Date() }: MemoryJournalOptions = {}): Journal {
  const targets = new Map<string, StoredTarget>();
  const alarms = new Map<string, Columns>();
  let writes = 0;

  // Not async: nothing may come between looking at the etag and writing.
  function commit(change: JournalChange): string {
    refuseUnstorable(change);
    const { record, etag, wakeAt, request } = change;
    const columns = targetColumns.write(record);
    const runs = lastOfEach(change.runs).map(
      (run) => [runRow(run.targetId, run.rotationId), runColumns.write(run)] as const,
    );
    const before = targets.get(record.targetId);
    if (before?.etag !== etag) throw new LeaseLostError(`Target ${record.targetId} was changed.`);
    const next = `memory-${++writes}`;
    targets.set(record.targetId, {
      columns,
      etag: next,
      wakeAt,
      runs: new Map([...(before?.runs ?? []), ...runs]),
      requests: withRequest(before?.requests, record.targetId, request),
    });
    return next;
  }

  return {
    now,
    read: settled((targetId) => {
      const stored = targets.get(targetId);
      return stored && { record: targetColumns.read(stored.columns), etag: stored.etag };
    }),
    commit: settled(commit),
    due: settled((until, limit) => dueFirst(targets, until).slice(0, limit)),
    targets: settled(() =>
      readListing([...targets].map(([id, { columns }]) => [id, columns] as const)),
    ),
    run: settled((targetId, rotationId) => {
      if (!isRotationId(rotationId)) return undefined;
      const columns = targets.get(targetId)?.runs.get(runRow(targetId, rotationId));
      return columns && runColumns.read(columns);
    }),
    runs: settled((targetId, limit, after) => {
      if (after !== undefined && !isRotationId(after)) return [];
      const key = after === undefined ? undefined : runRow(targetId, after);
      const rows = inOrder(targets.get(targetId)?.runs, key).slice(0, limit);
      return readRuns(
        targetId,
        rows.map(([rowKey, row]) => [rotationIn(rowKey), row]),
      );
    }),
    request: settled((targetId, key) =>
      targets.get(targetId)?.requests.get(requestRow(targetId, key)),
    ),
    raise: settled((alarm) => {
      alarms.set(alarmRow(alarm.at, alarm.id), alarmColumns.write(alarm));
    }),
    alarms: settled((limit, after) => {
      const rows = inOrder(alarms, after && alarmPlace(after)).slice(0, limit);
      return readAlarms(rows.map(([rowKey, row]) => [momentIn(rowKey), rowKey, row]));
    }),
  };
}

function dueFirst(targets: ReadonlyMap<string, StoredTarget>, until: Instant): string[] {
  return [...targets]
    .flatMap(([id, { wakeAt }]) =>
      wakeAt !== undefined && wakeAt <= until ? [{ wakeAt, id }] : [],
    )
    .sort((a, b) => compare(a.wakeAt, b.wakeAt) || compare(a.id, b.id))
    .map(({ id }) => id);
}

function withRequest(
  before: ReadonlyMap<string, KeyUse> | undefined,
  targetId: string,
  request: JournalChange["request"],
): ReadonlyMap<string, KeyUse> {
  if (!request) return before ?? new Map<string, KeyUse>();
  const { key, ...use } = request;
  return new Map([...(before ?? []), [requestRow(targetId, key), use]]);
}

/** Answers and failures come as promises, as they do from a store that is far away. */
function settled<Args extends unknown[], Result>(
  run: (...args: Args) => Result,
): (...args: Args) => Promise<Result> {
  return (...args) =>
    new Promise((resolve) => {
      resolve(run(...args));
    });
}

function inOrder(rows: ReadonlyMap<string, Columns> = new Map(), after = ""): [string, Columns][] {
  return [...rows].filter(([key]) => key > after).sort(([a], [b]) => compare(a, b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

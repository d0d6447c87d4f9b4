import { LeaseLostError } from "../../core/errors.ts";
import { isOnlyHeartbeat } from "../../core/lifecycle/heartbeat.ts";
import { goesFirst } from "../../core/record/first.ts";
import { isFinal } from "../../core/record/history.ts";
import { defaultRetentionMs } from "../../core/record/retention.ts";
import { computeSentUntil } from "../../core/record/sent.ts";
import { type Instant, toInstant } from "../../core/time.ts";
import type { Due, Journal, JournalChange, KeyedRequest, Retaining } from "../journal.ts";
import { keepLastOfEach, refuseUnstorable } from "../table/change.ts";
import {
  alarmColumns,
  type Columns,
  freezeColumns,
  readAlarms,
  readFreezes,
  readListing,
  readRuns,
  runColumns,
  targetColumns,
} from "../table/columns.ts";
import {
  alarmPlace,
  alarmRow,
  freezeIn,
  freezeRow,
  isRotationId,
  momentIn,
  requestRow,
  rotationIn,
  runRow,
} from "../table/row-keys.ts";
import { makeMemoryBreaches } from "./memory-breaches.ts";
import { makeMemoryLedger, type MemoryLedger } from "./memory-ledger.ts";
import { makeMemoryRequests, type MemoryRequests, type StoredUse } from "./memory-requests.ts";
import { toPromise } from "./to-promise.ts";

interface StoredTarget {
  readonly columns: Columns;
  readonly etag: string;
  readonly wakeAt: Instant | undefined;
  readonly sent: number;
  readonly isFirst: boolean;
  readonly isHeartbeat: boolean;
  readonly sentUntil: string;
  /** The rows by row key, which sorts newest first. */
  readonly runs: ReadonlyMap<string, Columns>;
  readonly requests: ReadonlyMap<string, StoredUse>;
}

export interface MemoryJournalOptions extends Retaining {
  /** The clock of the journal. Default: the clock of the machine. */
  readonly now?: () => Date;
}

/** A journal in memory. It stores the same columns as the journal in Table storage, so it returns copies. */
export function makeMemoryJournal({
  now = () => new Date(),
  retentionMs = defaultRetentionMs,
}: MemoryJournalOptions = {}): Journal {
  const targets = new Map<string, StoredTarget>();
  const [alarms, freezes] = [new Map<string, Columns>(), new Map<string, Columns>()];
  let writes = 0;
  const expiry = () => toInstant(new Date(now().getTime() - retentionMs));
  const ledger = makeMemoryLedger(expiry);
  const breaches = makeMemoryBreaches(() => toInstant(now()), ledger);
  const requests = makeMemoryRequests(() => toInstant(now()), expiry);

  // Not async, because nothing may happen between the check of the etag and the write.
  function commit(change: JournalChange): string {
    refuseUnstorable(change);
    const { record, etag, wakeAt, request } = change;
    const columns = targetColumns.write(record);
    const runs = keepLastOfEach(change.runs).map(
      (run) => [runRow(run.targetId, run.rotationId), runColumns.write(run)] as const,
    );
    const before = targets.get(record.targetId);
    if (before?.etag !== etag)
      throw new LeaseLostError(`Target ${record.targetId} was changed by another writer.`);
    const next = `memory-${++writes}`;
    ledger.keep(change.entries);
    targets.set(record.targetId, {
      ...{ columns, etag: next, wakeAt, sent: 0, sentUntil: "", isFirst: goesFirst(record) },
      isHeartbeat: wakeAt !== undefined && isOnlyHeartbeat(record, wakeAt),
      runs: new Map([...(before?.runs ?? []), ...runs]),
      requests: withRequest(before?.requests, record.targetId, request, toInstant(now())),
    });
    return next;
  }

  return {
    now,
    read: toPromise((targetId) => {
      const stored = targets.get(targetId);
      return stored && { record: targetColumns.read(stored.columns), etag: stored.etag };
    }),
    commit: toPromise(commit),
    due: toPromise((now, limit) => dueFirst(targets, now).slice(0, limit)),
    markSent: toPromise((due, now) => {
      for (const one of due) mark(targets, one, now);
    }),
    targets: toPromise(() =>
      readListing([...targets].map(([id, { columns }]) => [id, columns] as const)),
    ),
    ...historyIn({ targets, alarms, requests }, expiry),
    ...freezesIn(freezes, ledger, requests.keep),
    ledger: ledger.store,
    ...breaches.store,
    prune: toPromise((limit) => {
      const left = limit - prune(targets, alarms, expiry(), limit);
      const less = left - pruneFreezes(freezes, expiry(), left);
      const rest = less - breaches.prune(expiry(), less);
      return limit - rest + requests.prune(rest);
    }),
  };
}

type History = Pick<Journal, "run" | "runs" | "request" | "raise" | "alarms">;

interface Stored {
  readonly targets: Map<string, StoredTarget>;
  readonly alarms: Map<string, Columns>;
  /** Idempotency keys of requests to no single target. */
  readonly requests: MemoryRequests;
}

/** Rotations, idempotency keys and alarms, which are kept for a limited time. */
function historyIn({ targets, alarms, requests }: Stored, expiry: () => Instant): History {
  return {
    run: toPromise((targetId, rotationId) => {
      if (!isRotationId(rotationId)) return undefined;
      const columns = targets.get(targetId)?.runs.get(runRow(targetId, rotationId));
      return columns && runColumns.read(columns);
    }),
    runs: toPromise((targetId, limit, after) => {
      if (after !== undefined && !isRotationId(after)) return [];
      const key = after === undefined ? undefined : runRow(targetId, after);
      const rows = inOrder(targets.get(targetId)?.runs, key).slice(0, limit);
      return readRuns(
        targetId,
        rows.map(([rowKey, row]) => [rotationIn(rowKey), row]),
      );
    }),
    request: toPromise((targetId, key) => {
      const stored = targetId === undefined ? requests : targets.get(targetId)?.requests;
      const known = stored?.get(requestRow(targetId ?? "", key));
      return known && known.at >= expiry() ? known.use : undefined;
    }),
    raise: toPromise((alarm) => {
      alarms.set(alarmRow(alarm.at, alarm.id), alarmColumns.write(alarm));
    }),
    alarms: toPromise((limit, after) => {
      const rows = inOrder(alarms, after && alarmPlace(after)).slice(0, limit);
      return readAlarms(rows.map(([rowKey, row]) => [momentIn(rowKey), rowKey, row]));
    }),
  };
}

function freezesIn(
  freezes: Map<string, Columns>,
  ledger: MemoryLedger,
  keep: (request: KeyedRequest) => void,
): Pick<Journal, "freezes" | "putFreeze" | "keepRequest"> {
  return {
    keepRequest: toPromise(keep),
    freezes: toPromise(() =>
      readFreezes(inOrder(freezes).map(([key, row]) => [freezeIn(key), row])),
    ),
    putFreeze: toPromise((freeze, entries, request) => {
      if (request) keep(request);
      ledger.keep(entries);
      freezes.set(freezeRow(freeze.id), freezeColumns.write(freeze));
    }),
  };
}

function pruneFreezes(freezes: Map<string, Columns>, before: Instant, limit: number): number {
  const old = inOrder(freezes)
    .filter(([, { until, endedAt = until }]) =>
      [until, endedAt].some((end) => String(end) < before),
    )
    .slice(0, limit);
  for (const [key] of old) freezes.delete(key);
  return old.length;
}

function dueFirst(targets: ReadonlyMap<string, StoredTarget>, now: Instant): Due[] {
  return [...targets]
    .flatMap(([targetId, { wakeAt, sent, isFirst, isHeartbeat, sentUntil: until }]) =>
      wakeAt !== undefined && wakeAt <= now && until <= now
        ? [{ targetId, wakeAt, sent, isFirst, ...(isHeartbeat && { isHeartbeat }) }]
        : [],
    )
    .sort((a, b) => compare(a.wakeAt, b.wakeAt) || compare(a.targetId, b.targetId));
}

function mark(
  targets: Map<string, StoredTarget>,
  { targetId, wakeAt, sent, isFirst }: Due,
  now: Instant,
): void {
  const stored = targets.get(targetId);
  if (stored?.wakeAt !== wakeAt) return;
  const until = computeSentUntil(sent + 1, isFirst, now);
  targets.set(targetId, { ...stored, sent: sent + 1, sentUntil: until });
}

function withRequest(
  before: ReadonlyMap<string, StoredUse> = new Map(),
  targetId: string,
  request: JournalChange["request"],
  at: Instant,
): ReadonlyMap<string, StoredUse> {
  if (!request) return before;
  const { key, ...use } = request;
  return new Map([...before, [requestRow(targetId, key), { use, at }]]);
}

/** Prunes like the journal in Table storage, but everything at once. */
function prune(
  targets: Map<string, StoredTarget>,
  alarms: Map<string, Columns>,
  before: Instant,
  limit: number,
): number {
  let left = limit;
  const remaining = <Value>(
    rows: ReadonlyMap<string, Value>,
    isOld: (value: Value, key: string) => boolean,
  ) => new Map([...rows].filter(([key, value]) => !(left > 0 && isOld(value, key) && left-- > 0)));
  for (const [id, stored] of targets) {
    const [newest] = [...stored.runs.keys()].sort();
    targets.set(id, {
      ...stored,
      requests: remaining(stored.requests, ({ at }) => at < before),
      runs: remaining(stored.runs, (run, key) => key !== newest && hasEnded(run, before)),
    });
  }
  const keptAlarms = remaining(alarms, (_, key) => momentIn(key) < before);
  for (const key of [...alarms.keys()]) if (!keptAlarms.has(key)) alarms.delete(key);
  return limit - left;
}

function hasEnded({ state, endedAt }: Columns, before: Instant): boolean {
  return isFinal(String(state)) && String(endedAt) < before;
}

function inOrder(rows: ReadonlyMap<string, Columns> = new Map(), after = ""): [string, Columns][] {
  return [...rows].filter(([key]) => key > after).sort(([a], [b]) => compare(a, b));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

import type { Breach, BreachItem, BreachRow, ItemState } from "../core/breach/breach.ts";
import type { OperatorFreeze } from "../core/freezes/operator-freeze.ts";
import type { LedgerEntry } from "../core/ledger/entry.ts";
import type { HistoryRow, RunRecord } from "../core/record/history.ts";
import type { TargetRecord } from "../core/record/record.ts";
import type { Instant } from "../core/time.ts";
import type { LedgerStore } from "./ledger-store.ts";

/** A record with the etag that a conditional write needs. */
export interface Versioned {
  readonly record: TargetRecord;
  /** An opaque value that changes with every write. */
  readonly etag: string;
}

/** All changes of one target, written in one transaction. */
export interface JournalChange {
  readonly record: TargetRecord;
  /** The etag that the write requires. Absent: the target must not be in the journal yet. */
  readonly etag: string | undefined;
  /** When a sweep must check the target again. Absent: never by itself. Replaces the earlier time. */
  readonly wakeAt: Instant | undefined;
  /** The history rows to insert or replace. */
  readonly runs?: readonly RunRecord[];
  /** Stores an idempotency key with its request. */
  readonly request?: KeyedRequest;
  /** What the change means to the ledger. The entries exist exactly if the change does. */
  readonly entries?: readonly LedgerEntry[];
}

/** The request of an idempotency key, and its answer. */
export interface KeyUse {
  /** The request, in any form that can be compared. */
  readonly asked: string;
  /** JSON, at most 400,000 characters. */
  readonly answer: string;
}

export interface KeyedRequest extends KeyUse {
  readonly key: string;
}

/** A due target, and how many messages have been sent about this due time. */
export interface Due {
  readonly targetId: string;
  readonly wakeAt: Instant;
  readonly sent: number;
  /** Whether it goes before other targets (`goesFirst`). */
  readonly isFirst: boolean;
  /** Present when only a heartbeat is due, which needs no room in a vault. */
  readonly isHeartbeat?: true;
}

/** All targets of the journal. */
export interface Listing {
  readonly records: readonly TargetRecord[];
  readonly unreadable: readonly Unreadable[];
}

/** A target whose row cannot be read. Keyturn must not touch it. */
export interface Unreadable {
  /** The id of the target. */
  readonly id: string;
  /** A sentence for an operator. */
  readonly why: string;
  /** Whether a newer version of Keyturn wrote the row; otherwise the row is damaged. */
  readonly isNewer: boolean;
}

/**
 * A problem that a person should know and that belongs to no rotation. It never contains the body of a queue message. An alarm raised
 * again with the same id and time stays one alarm. Messages longer than 4,000 characters are cut.
 */
export interface Alarm {
  readonly id: string;
  readonly at: Instant;
  readonly kind: string;
  readonly message: string;
  readonly targetId?: string;
}

/** The position of an alarm in the list. */
export type AlarmKey = Pick<Alarm, "at" | "id">;

/** A breach with the etag that a conditional write needs. */
export interface VersionedBreach {
  readonly breach: Breach;
  readonly etag: string;
}

/** A change of a breach and of some of its items, written in one transaction. */
export interface BreachChange extends VersionedBreach {
  /** The items to replace; at most `maxItemsInChange`. */
  readonly items: readonly BreachItem[];
  /** What the change means to the ledger; at most one entry, which exists exactly if the change does. */
  readonly entries?: readonly LedgerEntry[];
}

/** How many items of a breach a transaction may change. */
export const maxItemsInChange = 98;

export interface ItemsWanted {
  readonly limit: number;
  /** Only the items after this place. */
  readonly after?: number;
  /** Only the items in these states. Absent: all. */
  readonly states?: readonly ItemState[];
}

/**
 * Breaches and their items. The head of a breach counts its items, and is written together with them, so that the counts are always
 * true and two workers cannot both advance a breach.
 */
export interface BreachStore {
  /** The breaches, newest first. `after`: only those older than this id, which need not exist. */
  breaches(limit: number, after?: string): Promise<BreachRow[]>;
  breach(breachId: string): Promise<VersionedBreach | undefined>;
  /** The ids of at most `limit` breaches whose `nextAt` is not after `now`. */
  dueBreaches(now: Instant, limit: number): Promise<string[]>;
  /** The items in the order of their places. */
  breachItems(breachId: string, wanted: ItemsWanted): Promise<BreachItem[]>;
  /** Stores a new breach, with entries of the ledger. It exists only when all of its items are stored. */
  addBreach(
    breach: Breach,
    items: readonly BreachItem[],
    entries?: readonly LedgerEntry[],
  ): Promise<void>;
  /** Writes the change and returns the new etag. Throws LeaseLostError if somebody else has changed the breach. */
  commitBreach(change: BreachChange): Promise<string>;
}

/**
 * The durable record of targets and rotations, and the only state. A write whose condition fails throws LeaseLostError and changes
 * nothing. A store that cannot be reached throws JournalUnavailableError; the write may or may not have happened. A record that this
 * version cannot read throws UnreadableRowError; it is never overwritten.
 */
export interface Journal extends BreachStore {
  /**
   * The clock of the store, continued from its last answer. Claims, and every other time in a record, depend only on this clock,
   * because the clocks of workers may differ. Before the first answer it is the clock of this machine.
   */
  now(): Date;
  read(targetId: string): Promise<Versioned | undefined>;
  /** Writes the change and returns the new etag. */
  commit(change: JournalChange): Promise<string>;
  /**
   * Targets whose wake time is not after `now` and that have no message under way, earliest first, at most `limit`.
   */
  due(now: Instant, limit: number): Promise<Due[]>;
  /**
   * Records that one more message was sent about each of these targets, so that no other is sent for a while (`sentUntil`). A write to
   * the target removes the record. If the process dies before this call, a second message is sent, without other effects.
   */
  markSent(due: readonly Due[], now: Instant): Promise<void>;
  /** A row that cannot be read does not hide the others. */
  targets(): Promise<Listing>;
  run(targetId: string, rotationId: string): Promise<RunRecord | undefined>;
  /**
   * The rotations, newest first by id, because ids are ULIDs. `after`: only those after this id, which need not exist. A row that
   * cannot be read does not hide the others.
   */
  runs(targetId: string, limit: number, after?: string): Promise<HistoryRow[]>;
  /** The request of an idempotency key, to one target or to none. A key is valid only for the retention. */
  request(targetId: string | undefined, key: string): Promise<KeyUse | undefined>;
  /** Stores the key of a request to no single target. Throws LeaseLostError if the key is known already. */
  keepRequest(request: KeyedRequest): Promise<void>;
  raise(alarm: Alarm): Promise<void>;
  /**
   * The alarms, newest first. `after`: only those after this alarm, which need not exist any more. An alarm that cannot be read has the
   * kind `unreadable` and does not hide the others.
   */
  alarms(limit: number, after?: AlarmKey): Promise<Alarm[]>;
  /**
   * The freezes that people have set, oldest first, with those that have ended until they are removed. One that cannot be read is
   * listed as a freeze of every target, because it might apply to any.
   */
  freezes(): Promise<OperatorFreeze[]>;
  /**
   * Inserts the freeze, or replaces the one with its id, with entries of the ledger and an idempotency key in the same transaction.
   * Throws LeaseLostError if the key is known already.
   */
  putFreeze(
    freeze: OperatorFreeze,
    entries?: readonly LedgerEntry[],
    request?: KeyedRequest,
  ): Promise<void>;
  /** The entries that the writes have left, and the chain that is made of them. */
  readonly ledger: LedgerStore;
  /**
   * Removes at most `limit` rows (1 to 100) that are older than the retention, and returns how many: ended rotations, ended freezes, used
   * idempotency keys, alarms, and breaches that were last written so long ago. Each call is a small step, so call it repeatedly. Targets, open
   * rotations, the newest rotation of each target, breaches that have not ended, and rows of a newer version stay, whatever their age.
   */
  prune(limit: number): Promise<number>;
}

export interface Retaining {
  /** Milliseconds for which history, idempotency keys and alarms are kept. Default: 400 days. */
  readonly retentionMs?: number;
}

/** The journal could not be reached. Keyturn must not touch a target without it. */
export class JournalUnavailableError extends Error {
  override readonly name = "JournalUnavailableError";
}

/** One row cannot be read, because a newer version of Keyturn wrote it or it is damaged. Other rows can be read. */
export class UnreadableRowError extends JournalUnavailableError {
  /** Whether a newer version of Keyturn wrote the row. */
  readonly isNewer: boolean;

  constructor(message: string, isNewer: boolean) {
    super(message);
    this.isNewer = isNewer;
  }
}

import type { HistoryRow, RunRecord, TargetRecord } from "../core/record/rotation.ts";
import type { Instant } from "../core/time.ts";

/** A record as it was read, with what a conditional write needs. */
export interface Versioned {
  readonly record: TargetRecord;
  /** Opaque; changes with every write. */
  readonly etag: string;
}

/** Everything that changes about one target, in one transaction. */
export interface JournalChange {
  readonly record: TargetRecord;
  /** The etag the write depends on; absent: the target must not be in the journal yet. */
  readonly etag: string | undefined;
  /** When the sweep must look at the target again; absent: never by itself. Replaces what was there before. */
  readonly wakeAt: Instant | undefined;
  /** Inserted or replaced. */
  readonly runs?: readonly RunRecord[];
  /** Remembers what an idempotency key was used for. */
  readonly request?: KeyUse & { readonly key: string };
}

/** What an idempotency key was used for, and which rotation it led to. */
export interface KeyUse {
  readonly rotationId: string;
  /** What was asked for, in any form that can be compared. */
  readonly asked: string;
}

/** A target that is due, and how many messages have been sent about that moment. */
export interface Due {
  readonly targetId: string;
  readonly wakeAt: Instant;
  readonly sent: number;
  /** Whether it goes before the others (`goesFirst`). */
  readonly isFirst: boolean;
}

/** Every target of the journal. */
export interface Listing {
  readonly records: readonly TargetRecord[];
  readonly unreadable: readonly Unreadable[];
}

/** A target whose row cannot be read. Nothing may be done to it. */
export interface Unreadable {
  /** Of the target. */
  readonly id: string;
  /** A sentence for an operator. */
  readonly why: string;
  /** Whether a newer version of Keyturn wrote it; otherwise it is damaged. */
  readonly isNewer: boolean;
}

/**
 * Something a person should know that belongs to no healthy rotation. Never a message body. Raised again with the same id
 * and moment it is still one alarm; a message longer than 4,000 characters is cut.
 */
export interface Alarm {
  readonly id: string;
  readonly at: Instant;
  readonly kind: string;
  readonly message: string;
  readonly targetId?: string;
}

/** What places an alarm among the others. */
export type AlarmKey = Pick<Alarm, "at" | "id">;

/**
 * The durable record of targets and rotations; the only state. Losing the condition of a write throws
 * LeaseLostError and changes nothing; a store that cannot be asked throws JournalUnavailableError, after which a write
 * may or may not have happened. A record that this version cannot read throws UnreadableRowError; it is never overwritten.
 */
export interface Journal {
  /**
   * The store's own clock, as its last answer gave it and carried on from there. Who owns a target, and every other
   * moment in a record, depends on this clock only: the clocks of workers may differ. Before the first answer it is the clock of this machine.
   */
  now(): Date;
  read(targetId: string): Promise<Versioned | undefined>;
  /** Returns the new etag. */
  commit(change: JournalChange): Promise<string>;
  /**
   * Targets whose wake time is not after `now` and about which no message is on its way, earliest first, at most `limit`.
   */
  due(now: Instant, limit: number): Promise<Due[]>;
  /**
   * Notes that one more message was sent about each of these, so that for a while no other is (`sentUntil`). Whatever was written
   * about a target meanwhile forgets that. A death before this note costs a second message, and nothing else.
   */
  markSent(due: readonly Due[], now: Instant): Promise<void>;
  /** One row that cannot be read does not hide the others. */
  targets(): Promise<Listing>;
  run(targetId: string, rotationId: string): Promise<RunRecord | undefined>;
  /**
   * Newest first, by rotation id: ids are ULIDs. `after`: only those that follow this id, which need not exist. One row
   * that cannot be read does not hide the others.
   */
  runs(targetId: string, limit: number, after?: string): Promise<HistoryRow[]>;
  /** What an idempotency key was used for; a key holds for the retention and no longer. */
  request(targetId: string, key: string): Promise<KeyUse | undefined>;
  raise(alarm: Alarm): Promise<void>;
  /**
   * Newest first. `after`: only those that follow this one, which need not exist any more. One that cannot be read has
   * the kind `unreadable` and does not hide the others.
   */
  alarms(limit: number, after?: AlarmKey): Promise<Alarm[]>;
  /**
   * Removes at most `limit` rows (1 to 100) that are older than the retention, and returns how many: rotations that ended
   * before, idempotency keys that were used before, alarms. One small step; call it again and again. What stays whatever
   * its age: targets, rotations that have not ended, the newest rotation of each target, and rows of a newer version.
   */
  prune(limit: number): Promise<number>;
}

export interface Retaining {
  /** Milliseconds for which history, idempotency keys and alarms are kept. Default 400 days. */
  readonly retentionMs?: number;
}

/** The journal could not be asked. Nothing may be done to a target without it. */
export class JournalUnavailableError extends Error {
  override readonly name = "JournalUnavailableError";
}

/** One row cannot be read: a newer version of Keyturn wrote it, or it is damaged. The others can be. */
export class UnreadableRowError extends JournalUnavailableError {
  /** Whether a newer version of Keyturn wrote it. */
  readonly isNewer: boolean;

  constructor(message: string, isNewer: boolean) {
    super(message);
    this.isNewer = isNewer;
  }
}

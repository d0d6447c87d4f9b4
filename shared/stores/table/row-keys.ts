import { createHash } from "node:crypto";
import type { Instant } from "../../core/time.ts";

/**
 * The keys of rows. Table storage sorts them as strings and forbids / \ # ? and control characters, so keys contain only safe
 * characters, and hashes of everything else.
 */

const shards = 16;

/** The characters in ascending order. The mirror image of a character has the same distance from the other end. */
const idCharacters = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

export const alarmPartition = "alarms";
export const freezePartition = "freezes";
export const breachPartition = "breaches";
export const ledgerPartition = "ledger";
export const targetPartitions = Array.from({ length: shards }, (_, shard) => partitionName(shard));

/** The partitions in which a change may leave entries for the ledger. */
export const entryPartitions = [
  ...targetPartitions,
  freezePartition,
  breachPartition,
  ledgerPartition,
];

/** The partition of all rows of a target. It never changes. */
export function toPartition(targetId: string): string {
  return partitionName(sha256(targetId).readUInt8(0) % shards);
}

function partitionName(shard: number): string {
  return `targets-${shard.toString().padStart(2, "0")}`;
}

/** The target id in the key of its row. */
export const targetIn = (rowKey: string) => rowKey.slice("target:".length);
export const targetRow = (targetId: string) => `target:${targetId}`;
export const dueRow = (wakeAt: Instant, targetId: string) => `due:${wakeAt}:${targetId}`;
/** The moment in the key of a due row. */
export const dueMoment = (rowKey: string): Instant =>
  rowKey.slice("due:".length, rowKey.lastIndexOf(":"));
export const runRow = (targetId: string, rotationId: string) =>
  `run:${targetId}:${mirror(rotationId)}`;
/** The target in the key of a rotation's row; undefined for other rows. */
export const targetOfRun = (rowKey: string) => /^run:([^:]+):/.exec(rowKey)?.[1];
/** The id in the key of a rotation's row. */
export const rotationIn = (rowKey: string) =>
  mirror(rowKey.slice(rowKey.lastIndexOf(":") + 1, -1)).slice(0, -1);
/** The row of an idempotency key; `targetId` is empty for a request to no single target. */
export const requestRow = (targetId: string, key: string) =>
  `key:${targetId}:${sha256(key).toString("hex")}`;
export const alarmRow = (at: Instant, id: string) =>
  `alarm:${mirrorDigits(at)}:${sha256(id).toString("hex").slice(0, 32)}`;

/** Ids are ULIDs, so the oldest freeze comes first. */
export const freezeRow = (id: string) => `freeze:${id}`;
export const freezeIn = (rowKey: string) => rowKey.slice("freeze:".length);

/** Ids are ULIDs, so the newest breach comes first. */
export const breachRow = (id: string) => `breach:${mirror(id)}`;
export const breachIn = (rowKey: string) => mirror(rowKey.slice("breach:".length, -1)).slice(0, -1);
export const breachItemRow = (id: string, place: number) =>
  `item:${id}:${String(place).padStart(6, "0")}`;

/** The breach in the key of its row, or of the row of one of its targets; undefined for other rows. */
export const breachOf = (rowKey: string): string | undefined =>
  rowKey.startsWith("breach:") ? breachIn(rowKey) : /^item:([^:]+):/.exec(rowKey)?.[1];

/** The moment in the key of an alarm's row. */
export const momentIn = (rowKey: string): Instant =>
  mirrorDigits(rowKey.slice("alarm:".length, rowKey.lastIndexOf(":")));

/** An entry of the ledger that is not in the chain yet; the oldest comes first. */
export const entryRow = (at: Instant, id: string) => `entry:${at}:${id}`;
export const entryIn = (rowKey: string): { readonly at: Instant; readonly id: string } => {
  const end = rowKey.lastIndexOf(":");
  return { at: rowKey.slice("entry:".length, end), id: rowKey.slice(end + 1) };
};

/** Segments of the ledger, the newest first. Its head has the position 0, and its entries follow in their order. */
export const segmentRow = (segment: number, position: number) =>
  `segment:${mirrorDigits(String(segment).padStart(10, "0"))}:${String(position).padStart(3, "0")}`;
export const segmentIn = (rowKey: string) =>
  Number(mirrorDigits(rowKey.slice("segment:".length, rowKey.lastIndexOf(":"))));
export const positionIn = (rowKey: string) => Number(rowKey.slice(rowKey.lastIndexOf(":") + 1));
/** Where the stored chain begins. */
export const ledgerStartRow = "start";
/** Changes with each entry that belongs to no other row. */
export const ledgerLogRow = "log";

/** The rows from `from` on and before `before`. */
export interface RowRange {
  readonly from: string;
  readonly before: string;
}

/** All rows that begin with `prefix:`; the character after the colon ends them. */
function under(prefix: string): RowRange {
  return { from: `${prefix}:`, before: `${prefix};` };
}

export const targetRows = under("target");
export const alarmRows = under("alarm");
export const freezeRows = under("freeze");
export const breachRows = under("breach");
export const breachItemRows = (id: string) => under(`item:${id}`);
/** The rows of alarms raised before this moment. */
export const alarmRowsBefore = (moment: Instant): RowRange => ({
  // The character after the colon, so that alarms of exactly this moment stay.
  from: `alarm:${mirrorDigits(moment)};`,
  before: alarmRows.before,
});
export const entryRows = under("entry");
export const allSegmentRows = under("segment");
/** Both segments are included. */
export const segmentRows = (first: number, last: number): RowRange => ({
  from: segmentRow(last, 0),
  before: `${segmentRow(first, 999)};`,
});
export const allRunRows = under("run");
export const allKeyRows = under("key");
export const runRows = (targetId: string) => under(`run:${targetId}`);
/** `until` is included. */
export const dueRows = (until: Instant): RowRange => ({ from: "due:", before: `due:${until};` });

/** The row of a listed alarm. The id of an alarm that cannot be read is the key of its row. */
export const alarmPlace = ({ at, id }: { readonly at: Instant; readonly id: string }) =>
  id.startsWith("alarm:") ? id : alarmRow(at, id);

/** The rows of a range that come after one row. No key is another one followed by a character before `!`. */
export const afterRow = (rowKey: string, { before }: RowRange): RowRange => ({
  from: `${rowKey}!`,
  before,
});

export function isRotationId(id: string): boolean {
  return /^[\w-]{1,64}$/.test(id);
}

export function isInstant(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text);
}

/** Turns "newest last" into "newest first". The `~` sorts a longer id before the shorter one it begins with. */
function mirror(id: string): string {
  const last = idCharacters.length - 1;
  return id.replace(/./g, (char) => idCharacters.charAt(last - idCharacters.indexOf(char))) + "~";
}

function mirrorDigits(text: string): string {
  return text.replace(/\d/g, (digit) => String(9 - Number(digit)));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

import { createHash } from "node:crypto";
import type { Instant } from "../../core/time.ts";

/**
 * Names of rows. Table storage sorts them as strings and forbids / \ # ? and control characters in them, so only
 * what is known to be harmless goes in, and the rest as a hash.
 */

const shards = 16;

/** In ascending order, so that the mirror image of a character is at the same distance from the other end. */
const idCharacters = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

export const alarmPartition = "alarms";
export const targetPartitions = Array.from({ length: shards }, (_, shard) => partitionName(shard));

/** Where everything about one target is; the same for ever. */
export function toPartition(targetId: string): string {
  return partitionName(sha256(targetId).readUInt8(0) % shards);
}

function partitionName(shard: number): string {
  return `targets-${shard.toString().padStart(2, "0")}`;
}

/** The id in the key of a target's row. */
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
export const requestRow = (targetId: string, key: string) =>
  `key:${targetId}:${sha256(key).toString("hex")}`;
export const alarmRow = (at: Instant, id: string) =>
  `alarm:${mirrorDigits(at)}:${sha256(id).toString("hex").slice(0, 32)}`;

/** The moment in the key of an alarm's row. */
export const momentIn = (rowKey: string): Instant =>
  mirrorDigits(rowKey.slice("alarm:".length, rowKey.lastIndexOf(":")));

/** Rows from `from` on and before `before`. */
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
/** Of alarms raised before this moment. */
export const alarmRowsBefore = (moment: Instant): RowRange => ({
  // The character after the colon: alarms of that very moment stay.
  from: `alarm:${mirrorDigits(moment)};`,
  before: alarmRows.before,
});
export const allRunRows = under("run");
export const allKeyRows = under("key");
export const runRows = (targetId: string) => under(`run:${targetId}`);
/** `until` is included. */
export const dueRows = (until: Instant): RowRange => ({ from: "due:", before: `due:${until};` });

/** The row of an alarm that was listed. One that cannot be read is listed with the key of its row as its id. */
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

function mirrorDigits(instant: Instant): string {
  return instant.replace(/\d/g, (digit) => String(9 - Number(digit)));
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

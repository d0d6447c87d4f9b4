import type { z } from "zod";
import {
  type HistoryRow,
  recordSchema,
  type RunRecord,
  type TargetRecord,
} from "../../core/record/rotation.ts";
import type { Instant } from "../../core/time.ts";
import { type Alarm, type Listing, type Unreadable, UnreadableRowError } from "../journal.ts";
import { fit, type Reductions, runReductions, targetReductions } from "./fit.ts";
import { alarmRecord, runRecord, targetRecord } from "./records.ts";
import {
  type Fields,
  isVersion,
  runSteps,
  type Steps,
  targetSteps,
  upgradeRow,
} from "./upgrade.ts";

/** A record as a person reads it in Storage Explorer: one column for a plain field, JSON for a nested one. */
export type Columns = Record<string, string | number | boolean>;

/** Table storage allows 64 KiB of UTF-16 in one column. */
const longestColumn = 32_000;

/** A person is told in a few lines; a whole page would not be stored at all. */
const longestAlarm = 4_000;

/** End a line in the middle of a JSON text for whoever reads a transaction line by line, as Azurite does. */
const lineSeparators = /[\u2028\u2029]/g;

type Plain = string | number | boolean;
type Nested<T> = { [K in keyof T]-?: Exclude<T[K], undefined> extends Plain ? never : K }[keyof T];

const nestedInTarget: Record<Nested<TargetRecord>, true> = {
  slots: true,
  published: true,
  lastFailure: true,
  rotation: true,
  request: true,
  again: true,
  retirement: true,
  check: true,
  skipped: true,
  refusals: true,
  exposure: true,
  passedOver: true,
  policiesPassedOver: true,
  outbox: true,
  claim: true,
};
const nestedInRun: Record<Nested<RunRecord>, true> = {
  phases: true,
  published: true,
  failure: true,
  lift: true,
};

interface Codec<T> {
  /** Throws when the record could not be stored or not be read back. */
  write(record: T): Columns;
  /** Columns that are not of the record are left alone. Throws UnreadableRowError. */
  read(columns: Readonly<Record<string, unknown>>): T;
}

interface Stored {
  /** For messages. */
  readonly what: string;
  /** The field that says which one it is. */
  readonly id: string;
  readonly nested: Readonly<Record<string, true>>;
}

interface Kind<T> extends Stored {
  readonly steps: Steps;
  readonly reductions: Reductions<T>;
}

export const targetColumns = codec<TargetRecord>(
  {
    what: "target",
    id: "targetId",
    nested: nestedInTarget,
    steps: targetSteps,
    reductions: targetReductions,
  },
  targetRecord,
);
export const runColumns = codec<RunRecord>(
  {
    what: "rotation",
    id: "rotationId",
    nested: nestedInRun,
    steps: runSteps,
    reductions: runReductions,
  },
  runRecord,
);
/** Has no version: an older instance that could not read an alarm would take the journal for damaged. */
const storedAlarm = codec<Alarm>(
  {
    what: "alarm",
    id: "id",
    nested: {},
    steps: {},
    reductions: {},
  },
  alarmRecord,
);

/** A stored row: how it is called in its key, and its columns. */
type StoredRow = readonly [id: string, columns: Readonly<Record<string, unknown>>];

/** What each row holds, and apart from that the rows that cannot be read. */
export function readListing(rows: readonly StoredRow[]): Listing {
  const records: TargetRecord[] = [];
  const unreadable: Unreadable[] = [];
  for (const [id, columns] of rows) {
    const read = readEach(targetColumns, columns);
    if ("record" in read) records.push(read.record);
    else unreadable.push({ id, why: read.error.message, isNewer: read.error.isNewer });
  }
  return { records, unreadable };
}

/** A history in which a row that cannot be read has its place and says why. */
export function readRuns(targetId: string, rows: readonly StoredRow[]): HistoryRow[] {
  return rows.map(([rotationId, columns]) => {
    const read = readEach(runColumns, columns);
    if ("record" in read) return read.record;
    return { targetId, rotationId, state: "unreadable", why: read.error.message };
  });
}

/** Alarms of which one that cannot be read has its place and says why. `at` is in the key of its row. */
export function readAlarms(rows: readonly (readonly [at: Instant, ...StoredRow])[]): Alarm[] {
  return rows.map(([at, id, columns]) => {
    const read = readEach(alarmColumns, columns);
    if ("record" in read) return read.record;
    return { id, at, kind: "unreadable", message: read.error.message };
  });
}

function readEach<T>(
  codec: Codec<T>,
  columns: Readonly<Record<string, unknown>>,
): { readonly record: T } | { readonly error: UnreadableRowError } {
  try {
    return { record: codec.read(columns) };
  } catch (error) {
    if (error instanceof UnreadableRowError) return { error };
    throw error;
  }
}

export const alarmColumns: Codec<Alarm> = {
  read: (columns) => storedAlarm.read(columns),
  write: (alarm) => storedAlarm.write({ ...alarm, message: cut(alarm.message, longestAlarm) }),
};

function codec<T extends object>(
  kind: Kind<T>,
  schema: z.ZodType<T> & { readonly shape: object },
): Codec<T> {
  const fields = Object.keys(schema.shape);
  const read = (columns: Readonly<Record<string, unknown>>): T => {
    const what = describeStored(kind, columns);
    refuseFutureSchema(what, columns["schema"]);
    const joined = upgradeRow(joinColumns(kind, columns), kind.steps);
    const result = schema.safeParse(pick(joined, fields));
    if (result.success) return result.data;
    const at = result.error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new UnreadableRowError(
      `${what} cannot be read: ${at}. Correct the row, or restore it from a backup.`,
      false,
    );
  };
  const write = (record: T): Columns => {
    const isTooLong = (field: string, value: unknown) =>
      measureLength(toColumn(kind, field, value)) > longestColumn;
    const columns = splitColumns(kind, fit(record, kind.reductions, isTooLong));
    // What cannot be read back must never be written: it would stop the target for ever.
    read(columns);
    return columns;
  };
  return { read, write };
}

function describeStored({ what, id }: Stored, columns: Readonly<Record<string, unknown>>): string {
  const name = columns[id];
  const known = typeof name === "string" ? ` ${name.slice(0, 64).toWellFormed()}` : "";
  return `The journal's row of ${what}${known}`;
}

function refuseFutureSchema(what: string, schema: unknown): void {
  if (!isVersion(schema) || schema <= recordSchema) return;
  throw new UnreadableRowError(
    `${what} was written by a newer version of Keyturn (schema ${schema}; this instance knows ${recordSchema}). Finish the deployment.`,
    true,
  );
}

function splitColumns(kind: Stored, record: object): Columns {
  const columns: Columns = {};
  for (const [field, value] of Object.entries(record) as [string, unknown][]) {
    if (value === undefined) continue;
    const column = toColumn(kind, field, value);
    if (measureLength(column) > longestColumn) {
      throw new Error(
        `A ${kind.what} cannot be stored: its ${field} takes ${measureLength(column)} characters of at most ${longestColumn}.`,
      );
    }
    columns[field] = column;
  }
  return columns;
}

function measureLength(column: Plain): number {
  return typeof column === "string" ? column.length : 0;
}

function toColumn(kind: Stored, field: string, value: unknown): Plain {
  if (Object.hasOwn(kind.nested, field)) return escapeLineSeparators(JSON.stringify(value));
  // Half a surrogate pair survives as an escape in JSON, but not as text on the way to the store.
  if (typeof value === "string") return value.toWellFormed().replace(lineSeparators, "\n");
  if (typeof value === "number" || typeof value === "boolean") return value;
  throw new Error(`A ${kind.what} cannot be stored: its ${field} is not plain.`);
}

function escapeLineSeparators(json: string): string {
  return json.replace(lineSeparators, (char) => (char === "\u2028" ? "\\u2028" : "\\u2029"));
}

function joinColumns(kind: Stored, columns: Readonly<Record<string, unknown>>): Fields {
  return Object.fromEntries(
    Object.entries(columns).map(([field, column]) => {
      const nested = Object.hasOwn(kind.nested, field) && typeof column === "string";
      return [field, nested ? parseJson(column) : column];
    }),
  );
}

/** The store has columns of its own beside those of the record. */
function pick(columns: Fields, fields: readonly string[]): Fields {
  return Object.fromEntries(
    fields.flatMap((field) => (columns[field] === undefined ? [] : [[field, columns[field]]])),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema refuses it and names the field.
    return undefined;
  }
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

import type { z } from "zod";
import type { OperatorFreeze } from "../../core/freezes/operator-freeze.ts";
import { parseJson } from "../../core/json.ts";
import { type HistoryRow, type RunRecord } from "../../core/record/history.ts";
import { recordSchema, type TargetRecord } from "../../core/record/record.ts";
import type { Instant } from "../../core/time.ts";
import { type Alarm, type Listing, type Unreadable, UnreadableRowError } from "../journal.ts";
import { fit, type Reductions, runReductions, targetReductions } from "./fit.ts";
import { alarmRecord, freezeRecord, runRecord, targetRecord } from "./records.ts";
import {
  type Fields,
  isVersion,
  runSteps,
  type Steps,
  targetSteps,
  upgradeRow,
} from "./upgrade.ts";

/** A record as columns that a person can read in Storage Explorer: plain fields as values, nested fields as JSON. */
export type Columns = Record<string, string | number | boolean>;

/** Table storage allows 64 KiB of UTF-16 in one column. */
const maxColumnLength = 32_000;

/** Characters. A longer text would not fit into the row. */
const maxAlarmLength = 4_000;

/** Characters that end a line inside a JSON text for programs that read a transaction line by line, such as Azurite. */
const lineSeparators = /[\u2028\u2029]/g;

type Plain = string | number | boolean;
export type Nested<T> = {
  [K in keyof T]-?: Exclude<T[K], undefined> extends Plain ? never : K;
}[keyof T];

const nestedInTarget: Record<Nested<TargetRecord>, true> = {
  slots: true,
  published: true,
  secretEnd: true,
  lastFailure: true,
  rotation: true,
  request: true,
  given: true,
  dated: true,
  again: true,
  retirement: true,
  superseded: true,
  check: true,
  heartbeat: true,
  refresh: true,
  awaited: true,
  skipped: true,
  refusals: true,
  exposure: true,
  exposedVersions: true,
  pause: true,
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
  force: true,
  justification: true,
};

export interface Codec<T> {
  /** Throws when the record could not be stored or read back. */
  write(record: T): Columns;
  /** Ignores columns that are not part of the record. Throws UnreadableRowError. */
  read(columns: Readonly<Record<string, unknown>>): T;
}

interface Stored {
  /** The kind of record, for messages. */
  readonly what: string;
  /** The field with the id of the record. */
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
/** Alarms have no version: an older instance that could not read one would treat the journal as damaged. */
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

/** Freezes have no version either: an older instance ignores the columns that it does not know. */
export const freezeColumns = codec<OperatorFreeze>(
  { what: "freeze", id: "id", nested: { lift: true, selection: true }, steps: {}, reductions: {} },
  freezeRecord,
);

/** The freezes. One that cannot be read might apply to any target, so it counts as a freeze of everything until a person ends it. */
export function readFreezes(rows: readonly StoredRow[]): OperatorFreeze[] {
  return rows.map(([id, columns]) => {
    const read = readEach(freezeColumns, columns);
    return "record" in read ? read.record : toFreezeOfEverything(id, read.error.message);
  });
}

function toFreezeOfEverything(id: string, why: string): OperatorFreeze {
  const [from, until] = ["1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"];
  const lift = ["exposure", "breach"] as const;
  return { id, at: from, by: "Keyturn", reason: why, from, until, lift, selection: {} };
}

/** A stored row: its name in the key, and its columns. */
export type StoredRow = readonly [id: string, columns: Readonly<Record<string, unknown>>];

/** The records of the rows, and separately the rows that cannot be read. */
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

/** The history. A row that cannot be read keeps its place and says why. */
export function readRuns(targetId: string, rows: readonly StoredRow[]): HistoryRow[] {
  return rows.map(([rotationId, columns]) => {
    const read = readEach(runColumns, columns);
    if ("record" in read) return read.record;
    return { targetId, rotationId, state: "unreadable", why: read.error.message };
  });
}

/** The alarms. One that cannot be read keeps its place and says why; the key of its row contains `at`. */
export function readAlarms(rows: readonly (readonly [at: Instant, ...StoredRow])[]): Alarm[] {
  return rows.map(([at, id, columns]) => {
    const read = readEach(alarmColumns, columns);
    if ("record" in read) return read.record;
    return { id, at, kind: "unreadable", message: read.error.message };
  });
}

export function readEach<T>(
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
  write: (alarm) => storedAlarm.write({ ...alarm, message: cut(alarm.message, maxAlarmLength) }),
};

export function codec<T extends object>(
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
      measureLength(toColumn(kind, field, value)) > maxColumnLength;
    const columns = splitColumns(kind, fit(record, kind.reductions, isTooLong));
    // A record that cannot be read back is never written, because it would stop the target for ever.
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
    if (measureLength(column) > maxColumnLength) {
      throw new Error(
        `A ${kind.what} cannot be stored: its ${field} has ${measureLength(column)} characters; the limit is ${maxColumnLength}.`,
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
  // An unpaired surrogate survives as an escape in JSON, but not as text on the way to the store.
  if (typeof value === "string") return value.toWellFormed().replace(lineSeparators, "\n");
  if (typeof value === "number" || typeof value === "boolean") return value;
  throw new Error(`A ${kind.what} cannot be stored: its ${field} is not a plain value.`);
}

export function escapeLineSeparators(json: string): string {
  return json.replace(lineSeparators, (char) => (char === "\u2028" ? "\\u2028" : "\\u2029"));
}

function joinColumns(kind: Stored, columns: Readonly<Record<string, unknown>>): Fields {
  return Object.fromEntries(
    Object.entries(columns).map(([field, column]) => {
      const nested = Object.hasOwn(kind.nested, field) && typeof column === "string";
      // For a text that is not JSON, the schema names the field.
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

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

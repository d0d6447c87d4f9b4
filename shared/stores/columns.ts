import type { z } from "zod";
import type { RunRecord, TargetRecord } from "../core/rotation.ts";
import { JournalUnavailableError, type Alarm, type Listing } from "./journal.ts";
import { alarmRecord, runRecord, targetRecord } from "./records.ts";

/** A record as a person reads it in Storage Explorer: one column for a plain field, JSON for a nested one. */
export type Columns = Record<string, string | number | boolean>;

/** Table storage allows 64 KiB of UTF-16 in one column. */
const longestColumn = 32_000;

/** A person is told in a few lines; a whole page would not be stored at all. */
const longestAlarm = 4_000;

/** End a line in the middle of a JSON text for whoever reads a transaction line by line, as Azurite does. */
const lineSeparators = /[\u2028\u2029]/g;

const newestSchema = 1;

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
};

interface Codec<T> {
  /** Throws when the record could not be stored or not be read back. */
  write(record: T): Columns;
  /** Columns that are not of the record are left alone. Throws JournalUnavailableError. */
  read(columns: Readonly<Record<string, unknown>>): T;
}

interface Kind {
  /** For messages. */
  readonly what: string;
  readonly nested: Readonly<Record<string, true>>;
}

export const targetColumns = codec<TargetRecord>(
  { what: "target", nested: nestedInTarget },
  targetRecord,
);
export const runColumns = codec<RunRecord>({ what: "rotation", nested: nestedInRun }, runRecord);
const storedAlarm = codec<Alarm>({ what: "alarm", nested: {} }, alarmRecord);

/** What each row holds, and apart from that the ids of the rows that cannot be read. */
export function readListing(
  rows: readonly (readonly [id: string, columns: Readonly<Record<string, unknown>>])[],
): Listing {
  const records: TargetRecord[] = [];
  const unreadable: string[] = [];
  for (const [id, columns] of rows) {
    try {
      records.push(targetColumns.read(columns));
    } catch {
      unreadable.push(id);
    }
  }
  return { records, unreadable };
}

export const alarmColumns: Codec<Alarm> = {
  read: (columns) => storedAlarm.read(columns),
  write: (alarm) => storedAlarm.write({ ...alarm, message: cut(alarm.message, longestAlarm) }),
};

function codec<T extends object>(
  kind: Kind,
  schema: z.ZodType<T> & { readonly shape: object },
): Codec<T> {
  const fields = Object.keys(schema.shape);
  const read = (columns: Readonly<Record<string, unknown>>): T => {
    refuseFutureSchema(kind.what, columns["schema"]);
    const result = schema.safeParse(joinColumns(kind, fields, columns));
    if (result.success) return result.data;
    const at = result.error.issues.map((issue) => issue.path.join(".")).join(", ");
    throw new JournalUnavailableError(`A ${kind.what} in the journal cannot be read: ${at}.`);
  };
  const write = (record: T): Columns => {
    const columns = splitColumns(kind, record);
    // What cannot be read back must never be written: it would stop the target for ever.
    read(columns);
    return columns;
  };
  return { read, write };
}

function refuseFutureSchema(what: string, schema: unknown): void {
  if (typeof schema !== "number" || schema <= newestSchema) return;
  throw new JournalUnavailableError(
    `A ${what} in the journal was written by a newer version of Keyturn (schema ${schema}); this one knows ${newestSchema}.`,
  );
}

function splitColumns(kind: Kind, record: object): Columns {
  const columns: Columns = {};
  for (const [field, value] of Object.entries(record) as [string, unknown][]) {
    if (value === undefined) continue;
    const column = toColumn(kind, field, value);
    if (typeof column === "string" && column.length > longestColumn) {
      throw new Error(
        `A ${kind.what} cannot be stored: its ${field} takes ${column.length} characters of at most ${longestColumn}.`,
      );
    }
    columns[field] = column;
  }
  return columns;
}

function toColumn(kind: Kind, field: string, value: unknown): Plain {
  if (Object.hasOwn(kind.nested, field)) return escaped(JSON.stringify(value));
  // Half a surrogate pair survives as an escape in JSON, but not as text on the way to the store.
  if (typeof value === "string") return value.toWellFormed().replace(lineSeparators, "\n");
  if (typeof value === "number" || typeof value === "boolean") return value;
  throw new Error(`A ${kind.what} cannot be stored: its ${field} is not plain.`);
}

function escaped(json: string): string {
  return json.replace(lineSeparators, (char) => (char === "\u2028" ? "\\u2028" : "\\u2029"));
}

function joinColumns(
  kind: Kind,
  fields: readonly string[],
  columns: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const present = fields.filter((field) => columns[field] !== undefined);
  return Object.fromEntries(
    present.map((field) => {
      const column = columns[field];
      const nested = Object.hasOwn(kind.nested, field) && typeof column === "string";
      return [field, nested ? parseJson(column) : column];
    }),
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

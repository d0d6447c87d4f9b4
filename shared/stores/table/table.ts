import {
  odata,
  TableClient,
  type TableEntity,
  type TableEntityResult,
  type TransactionAction,
} from "@azure/data-tables";
import { second } from "../../core/time.ts";
import { JournalUnavailableError } from "../journal.ts";
import {
  openSafely,
  type StorageConnection,
  type StorageFailure,
  toStorageFailure,
} from "../storage-access.ts";
import type { RowRange } from "./row-keys.ts";
import { type MachineClocks, makeServiceClock } from "./service-clock.ts";

export type Row = TableEntityResult<Record<string, unknown>>;

export interface TableOptions {
  /** Milliseconds that one call of the journal may take, including retries. Default: 10 s. */
  readonly deadline?: number;
  /** Default: the clocks of the machine. */
  readonly clocks?: MachineClocks;
}

export interface OpenTable {
  /** The clock of the service. */
  readonly now: () => Date;
  /** Each call begins a deadline. */
  readonly begin: () => Table;
}

export interface ListOptions {
  /** The number of rows, at least 1. Default: all. */
  readonly limit?: number;
  /** Default: all columns. */
  readonly columns?: string[];
  /** An OData filter, in addition to that of the range. */
  readonly filter?: string;
}

export interface PageWanted {
  readonly partition: string;
  /** An OData filter, in addition to that of the partition. */
  readonly filter: string;
  readonly columns: string[];
  /** The number of rows, 1 to 100. */
  readonly limit: number;
  /** Where an earlier page ended. Absent: from the beginning. */
  readonly from: string | undefined;
}

interface Page {
  readonly rows: readonly Row[];
  /** Where the next page begins. Absent: this was the last page. */
  readonly rest: string | undefined;
}

/** One table within one deadline. All failures except a refused transaction throw JournalUnavailableError. */
export interface Table {
  read(partition: string, row: string): Promise<Row | undefined>;
  /** The rows in the order of row keys. */
  list(partition: string, range: RowRange, options?: ListOptions): Promise<Row[]>;
  /** The matching rows of one partition, in the order of row keys. An empty page may have a next page. */
  page(wanted: PageWanted): Promise<Page>;
  /** Removes all rows (at most 100) or none, and returns how many: none if another instance has removed one of them. */
  remove(partition: string, rowKeys: readonly string[]): Promise<number>;
  put(row: TableEntity): Promise<void>;
  submit(actions: TransactionAction[]): Promise<Submitted>;
}

/** The new etag of the first changed row; or a failure, after which the change may or may not have happened. */
export type Submitted = { readonly etag: string } | { readonly failure: StorageFailure };

const retryOptions = { maxRetries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2 * second };

const noEtag: StorageFailure = {
  status: 202,
  code: undefined,
  description: "no etag in its answer",
};

/** The largest page of the service. */
const fullPage = 1_000;

/** Throws ConfigError. */
export function openTable(
  connection: StorageConnection,
  tableName: string,
  { deadline = 10 * second, clocks }: TableOptions,
): OpenTable {
  const client = openSafely((allowInsecureConnection) => {
    const options = { allowInsecureConnection, retryOptions };
    return "connectionString" in connection
      ? TableClient.fromConnectionString(connection.connectionString, tableName, options)
      : new TableClient(connection.endpoint, tableName, connection.credential, options);
  });
  const created = makeCreator(client);
  return {
    now: makeClock(client, clocks),
    begin: () => tableWithin(AbortSignal.timeout(deadline), client, created),
  };
}

/** Updates the clock from each answer of the service itself; the answer of a proxy has another clock. */
function makeClock({ pipeline }: TableClient, clocks: MachineClocks | undefined): () => Date {
  const clock = makeServiceClock(clocks);
  const listen: Parameters<typeof pipeline.addPolicy>[0] = {
    name: "keyturn-service-clock",
    async sendRequest(request, next) {
      const answered = clock.sent();
      const response = await next(request);
      const isTheirs = response.headers.has("x-ms-request-id");
      answered(isTheirs ? response.headers.get("date") : undefined);
      return response;
    },
  };
  // A policy after signing runs once for each try.
  pipeline.addPolicy(listen, { afterPhase: "Sign" });
  return () => clock.now();
}

/** Creates the table if it does not exist. It tries once, and again only after a failure. */
function makeCreator(client: TableClient): (abortSignal: AbortSignal) => Promise<void> {
  let created: Promise<void> | undefined;
  return (abortSignal) => {
    created ??= client.createTable({ abortSignal }).catch((error: unknown) => {
      created = undefined;
      throw error;
    });
    return created;
  };
}

function tableWithin(
  abortSignal: AbortSignal,
  client: TableClient,
  created: (abortSignal: AbortSignal) => Promise<void>,
): Table {
  async function asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      await created(abortSignal);
      return await ask();
    } catch (error) {
      throw toUnavailableError(toStorageFailure(error));
    }
  }
  return {
    read: (partition, row) => asked(() => readRow(client, partition, row, abortSignal)),
    list: (partition, range, { limit = Infinity, columns, filter: others } = {}) =>
      asked(async () => {
        const inRange = odata`PartitionKey eq ${partition} and RowKey ge ${range.from} and RowKey lt ${range.before}`;
        const filter = others === undefined ? inRange : `${inRange} and ${others}`;
        const queryOptions = columns ? { filter, select: columns } : { filter };
        const pages = client
          .listEntities({ abortSignal, queryOptions })
          .byPage({ maxPageSize: Math.min(limit, fullPage) });
        return await upTo(limit, pages);
      }),
    page: (wanted) => asked(() => readPage(client, wanted, abortSignal)),
    remove: async (partition, rowKeys) => {
      if (rowKeys.length === 0) return 0;
      const actions = rowKeys.map((rowKey): TransactionAction => [
        "delete",
        { partitionKey: partition, rowKey },
      ]);
      try {
        await created(abortSignal);
        await client.submitTransaction(actions, { abortSignal });
        return rowKeys.length;
      } catch (error) {
        const failure = toStorageFailure(error);
        if (failure.code === "ResourceNotFound") return 0;
        throw toUnavailableError(failure);
      }
    },
    put: (row) =>
      asked(async () => {
        await client.upsertEntity(row, "Replace", { abortSignal });
      }),
    submit: async (actions) => {
      try {
        await created(abortSignal);
        const { subResponses } = await client.submitTransaction(actions, { abortSignal });
        const etag = subResponses[0]?.etag?.trim();
        return etag === undefined ? { failure: noEtag } : { etag };
      } catch (error) {
        return { failure: toStorageFailure(error) };
      }
    },
  };
}

export function toUnavailableError({ description }: StorageFailure): JournalUnavailableError {
  return new JournalUnavailableError(`The journal's table could not be reached: ${description}.`);
}

async function readRow(
  client: TableClient,
  partition: string,
  row: string,
  abortSignal: AbortSignal,
): Promise<Row | undefined> {
  try {
    return await client.getEntity(partition, row, { abortSignal });
  } catch (error) {
    // A missing table is also a 404, but does not prove that the row never existed.
    if (toStorageFailure(error).code === "ResourceNotFound") return undefined;
    throw error;
  }
}

async function readPage(
  client: TableClient,
  { partition, filter, columns, limit, from }: PageWanted,
  abortSignal: AbortSignal,
): Promise<Page> {
  const inPartition = odata`PartitionKey eq ${partition}`;
  const queryOptions = { filter: `${inPartition} and (${filter})`, select: columns };
  const pages = client
    .listEntities({ abortSignal, queryOptions })
    .byPage({ maxPageSize: limit, ...(from !== undefined && { continuationToken: from }) });
  for await (const page of pages) return { rows: page, rest: page.continuationToken };
  return { rows: [], rest: undefined };
}

async function upTo(limit: number, pages: AsyncIterable<Row[]>): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of pages) {
    rows.push(...page);
    if (rows.length >= limit) break;
  }
  return rows.slice(0, limit);
}

import { TableClient } from "@azure/data-tables";
import { startAzurite } from "../../local/azurite.ts";
import type { Journal } from "../../shared/stores/journal.ts";
import type { MachineClocks } from "../../shared/stores/table/service-clock.ts";
import { makeTableJournal } from "../../shared/stores/table/table-journal.ts";
import { getPart, movedTo } from "./connection-strings.ts";
import { type LossyProxy, lossyProxy } from "./lossy-proxy.ts";

export interface OpenOptions {
  readonly connectionString?: string;
  /** Milliseconds. */
  readonly deadline?: number;
  readonly clocks?: MachineClocks;
  readonly retentionMs?: number;
  /** A table that was opened before. Default: a new table. */
  readonly table?: string;
}

interface Opened {
  readonly table: string;
  readonly journal: Journal;
  readonly client: TableClient;
}

/** The tables of Azurite, one for each journal. */
export async function azuriteTables() {
  const azurite = await startAzurite({ memory: true });
  const { connectionString } = azurite;
  let tables = 0;
  return {
    connectionString,
    close: () => azurite.close(),
    /** A new journal, and a plain client for the same rows. */
    open: (options: OpenOptions = {}): Opened => {
      const { connectionString: connection = connectionString, ...rest } = options;
      const { table: name = `journal${++tables}` } = options;
      const client = TableClient.fromConnectionString(connectionString, name, {
        allowInsecureConnection: true,
      });
      return {
        table: name,
        client,
        journal: makeTableJournal({ connectionString: connection }, name, rest),
      };
    },
    /** A proxy to the same tables that can lose replies. */
    proxied: async (): Promise<LossyProxy & { readonly connectionString: string }> => {
      const endpoint = new URL(getPart(connectionString, "TableEndpoint"));
      const proxy = await lossyProxy(endpoint.origin);
      const through = movedTo(connectionString, "TableEndpoint", proxy.url);
      return { ...proxy, connectionString: through };
    },
  };
}

export type AzuriteTables = Awaited<ReturnType<typeof azuriteTables>>;

export async function catchFailure(asked: Promise<unknown>): Promise<unknown> {
  return asked.then(
    () => undefined,
    (error: unknown) => error,
  );
}

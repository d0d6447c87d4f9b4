import type { PaceStore } from "../pace.ts";
import type { StorageConnection } from "../storage-access.ts";
import { openTable, type TableOptions, toUnavailableError } from "./table.ts";

interface MarkOptions extends TableOptions {
  /** Default: that of the vaults. */
  readonly partition?: string;
}

/** Stores one row for each name, in a partition of its own beside the journal. Names are letters, digits and hyphens. */
export function makeTablePace(
  connection: StorageConnection,
  tableName: string,
  { partition: partitionKey = "pace", ...options }: MarkOptions = {},
): PaceStore {
  const { begin } = openTable(connection, tableName, options);
  return {
    async read(name) {
      const row = await begin().read(partitionKey, name);
      const freeAt = row?.["freeAt"];
      return row && typeof freeAt === "string" ? { freeAt, etag: row.etag } : undefined;
    },
    async write(name, freeAt, etag) {
      const row = { partitionKey, rowKey: name, freeAt };
      const result = await begin().submit([
        etag === undefined ? ["create", row] : ["update", row, "Replace", { etag }],
      ]);
      if ("etag" in result) return { freeAt, etag: result.etag };
      const { status } = result.failure;
      // Another instance wrote first, or an answer was lost and the client met its own write.
      if (status === 409 || status === 412 || status === 404) return undefined;
      throw toUnavailableError(result.failure);
    },
  };
}

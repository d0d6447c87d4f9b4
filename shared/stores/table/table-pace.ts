import type { PaceStore } from "../pace.ts";
import type { StorageConnection } from "../storage-access.ts";
import { openTable, type TableOptions, toUnavailableError } from "./table.ts";

const partitionKey = "pace";

/** Stores one row for each vault, in a separate partition beside the journal. */
export function makeTablePace(
  connection: StorageConnection,
  tableName: string,
  options: TableOptions = {},
): PaceStore {
  const { begin } = openTable(connection, tableName, options);
  return {
    async read(vault) {
      const row = await begin().read(partitionKey, vault);
      const freeAt = row?.["freeAt"];
      return row && typeof freeAt === "string" ? { freeAt, etag: row.etag } : undefined;
    },
    async write(vault, freeAt, etag) {
      const row = { partitionKey, rowKey: vault, freeAt };
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

import { TableClient, type TableEntityResult } from "@azure/data-tables";
import type { Claim, Rotation } from "../../../shared/core/record/record.ts";
import { targetRow, toPartition } from "../../../shared/stores/table/row-keys.ts";
import { tableName } from "./world.ts";

type Row = TableEntityResult<Record<string, unknown>>;

const makeClient = (connectionString: string) =>
  TableClient.fromConnectionString(connectionString, tableName, { allowInsecureConnection: true });

/** Changes the row of a target to this schema version. */
export async function setSchema(
  connectionString: string,
  targetId: string,
  schema: number,
): Promise<void> {
  const key = { partitionKey: toPartition(targetId), rowKey: targetRow(targetId) };
  await makeClient(connectionString).updateEntity({ ...key, schema }, "Merge");
}

/** Every row of the journal as it is stored. */
export async function journalRows(connectionString: string): Promise<Row[]> {
  const client = makeClient(connectionString);
  const rows: Row[] = [];
  for await (const row of client.listEntities()) rows.push(row);
  return rows;
}

/** The part of a target's row that tests need. */
export interface Standing {
  readonly targetId: string;
  readonly phase: Rotation["phase"] | undefined;
  readonly claim: Claim;
}

export async function standings(connectionString: string): Promise<Standing[]> {
  const rows = await journalRows(connectionString);
  return rows
    .filter(({ rowKey }) => rowKey?.startsWith("target:"))
    .map((row) => ({
      targetId: String(row["targetId"]),
      phase: (json(row["rotation"]) as Rotation | undefined)?.phase,
      claim: json(row["claim"]) as Claim,
    }));
}

const json = (column: unknown): unknown =>
  typeof column === "string" ? JSON.parse(column) : undefined;

import type { Candidate } from "../../../shared/core/breach/candidate.ts";
import type { TargetRecord } from "../../../shared/core/record/record.ts";
import { newRecord } from "../../../shared/core/record/rotation.ts";
import type { Target } from "../../../shared/core/target.ts";
import { target as orders } from "../orders.ts";

export const now = "2026-03-01T12:00:00.000Z";

/** A target with an adopted record, on one server, which nobody reads and nobody reported. */
export function candidate(
  id: string,
  more: {
    readonly target?: Partial<Target>;
    readonly record?: Partial<TargetRecord>;
    readonly host?: string;
    readonly adminOf?: number;
  } = {},
): Candidate {
  const { host = "db-1", adminOf = 0 } = more;
  return {
    target: { ...orders, id, consumers: [], ...more.target },
    record: {
      ...newRecord(id),
      health: "healthy",
      adoptedAt: "2026-01-01T00:00:00.000Z",
      active: "orders_a",
      published: { vault: "main", name: "orders-db", version: "1" },
      lastSuccessAt: "2026-01-01T00:00:00.000Z",
      ...more.record,
    },
    host,
    server: `${host}:5432`,
    adminOf,
  };
}

import { z } from "zod";
import { tls } from "../connection/tls.ts";

export const postgresqlOptions = z.strictObject({
  // The driver would use a path as a Unix socket.
  host: z.string().regex(/^[^\s/\0]+$/, "must be a host name or an IP address"),
  port: z.int().min(1).max(65535).default(5432),
  database: z
    .string()
    .regex(/^[^\0]+$/, "must be the name of a database")
    .default("postgres"),
  tls: tls.prefault({}),
});

export type PostgresqlOptions = z.output<typeof postgresqlOptions>;

/** Describes the account in messages. */
export function describeAccount(
  { host, port, database }: PostgresqlOptions,
  account: string,
): string {
  return `PostgreSQL at ${host}:${port}, database ${database}, account ${account}`;
}

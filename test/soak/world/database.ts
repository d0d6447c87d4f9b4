import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { makeCertificate } from "../../../local/certificate.ts";
import { type Postgres, startPostgres } from "../../../local/postgres.ts";

const run = promisify(execFile);

export type LogIn = "accepted" | "refused" | "unreachable";

/** A real PostgreSQL that waits for the disk, can be killed, and keeps its port. */
export interface Database {
  readonly port: number;
  readonly admin: { readonly account: string; readonly password: string };
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after `kill`. It recovers from its log first. */
  start(): Promise<void>;
  /** Stops it in order, keeps a copy of its files, and starts it again. */
  takeSnapshot(): Promise<void>;
  /** Kills it and starts it with the files of the last snapshot. */
  restoreSnapshot(): Promise<void>;
  /** Runs a statement as superuser, without the faults of the line. */
  sql(...statements: readonly string[]): Promise<void>;
  setPassword(account: string, password: string): Promise<void>;
  /** Logs in with the plain client over TLS, without the faults of the line. */
  logIn(account: string, password: string): Promise<LogIn>;
  close(): Promise<void>;
}

/** The answers of a server that refuses an account. */
const refusals = ["28P01", "28000", "53300"];

const connectLimitMs = 5_000;

export async function startDatabase(folder: string): Promise<Database> {
  const tls = await makeCertificate();
  const directory = join(folder, "postgresql");
  let server: Postgres = await startPostgres({ directory, tls });
  const { port, adminUser, adminPassword, logFile } = server;
  const place = dirname(logFile);
  const data = join(place, "data");
  const snapshot = join(place, "snapshot");

  const clientFor = (user: string, password: string) => {
    const client = new Client({
      ...{ host: "127.0.0.1", port, user, password, database: "postgres" },
      ssl: { ca: tls.ca },
      connectionTimeoutMillis: connectLimitMs,
      query_timeout: connectLimitMs,
    });
    client.on("error", () => undefined);
    return client;
  };
  const start = async () => {
    server = await startPostgres({ directory, tls, port });
  };
  const kill = async () => {
    process.kill(server.pid, "SIGKILL");
    await server.exited;
  };
  const sql = async (...statements: readonly string[]) => {
    const client = clientFor(adminUser, adminPassword);
    try {
      await client.connect();
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };

  const admin = { account: "rotation_admin", password: randomBytes(24).toString("hex") };
  await sql(
    `CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD ${escapeLiteral(admin.password)}`,
    "GRANT pg_read_all_stats TO rotation_admin",
  );
  return {
    ...{ port, admin, kill, start, sql },
    async takeSnapshot() {
      await server.close();
      await rm(snapshot, { recursive: true, force: true });
      // Keeps owners and modes, which the server requires.
      await run("cp", ["-a", data, snapshot]);
      await start();
    },
    async restoreSnapshot() {
      await kill();
      await rm(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
      await rename(snapshot, data);
      await start();
    },
    setPassword: (account, password) =>
      sql(`ALTER ROLE ${escapeIdentifier(account)} PASSWORD ${escapeLiteral(password)}`),
    async logIn(account, password) {
      const client = clientFor(account, password);
      try {
        await client.connect();
        await client.query("SELECT 1");
        return "accepted";
      } catch (error) {
        const state: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
        return refusals.includes(String(state)) ? "refused" : "unreachable";
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    async close() {
      await server.close();
      await rm(place, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { makeCertificate } from "../../local/certificate.ts";
import { type Postgres, startPostgres } from "../../local/postgres.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { findOwnServer } from "./own.ts";
import { noteUse } from "./report/uses.ts";
import type { TestServer } from "./server.ts";

export interface StartedPostgresql extends TestServer {
  readonly host: "127.0.0.1";
  /** What servers that connect to this one must know. The password is that of the superuser. */
  readonly asPrimary: Pick<Postgres, "host" | "port" | "adminUser" | "adminPassword"> & {
    readonly ca: string;
  };
  readonly logFile: string;
}

const loggingAll = {
  log_statement: "all",
  log_min_error_statement: "debug5",
  log_min_duration_statement: "0",
  log_parameter_max_length: "-1",
  log_parameter_max_length_on_error: "-1",
  log_connections: "all",
};

/** Starts a server that speaks TLS and logs everything. */
export async function startPostgresql(): Promise<StartedPostgresql> {
  const certificate = await makeCertificate();
  const server = await startPostgres({
    directory: await mkdtemp(join(tmpdir(), "keyturn-postgresql-")),
    tls: certificate,
    throwaway: true,
    settings: { ...loggingAll, allow_system_table_mods: "on" },
  });
  const folder = await mkdtemp(join(tmpdir(), "keyturn-authority-"));
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, certificate.ca);
  const { host, port, adminUser, adminPassword, logFile } = server;
  const admin = { account: adminUser, secret: new Secret(adminPassword) };
  const address = { host, port, ca: certificate.ca, caFile, admin } as const;
  const version = await readVersion(address);
  noteUse("postgresql", "real", version);
  return {
    ...address,
    system: "postgresql",
    version,
    logFile,
    asPrimary: { host, port, adminUser, adminPassword, ca: certificate.ca },
    async stop() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Returns the server that KEYTURN_TEST_POSTGRESQL names, or starts one. For suites that run on any server. */
export const usePostgresql = async (): Promise<TestServer> =>
  (await findOwnServer("postgresql", readVersion)) ?? startPostgresql();

async function readVersion(
  server: Pick<TestServer, "host" | "port" | "ca" | "admin">,
): Promise<string> {
  const { host, port, ca, admin } = server;
  const client = new Client({
    ...{ host, port, user: admin.account, password: admin.secret.reveal() },
    ...{ database: "postgres", ssl: { ca } },
  });
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly version: string }>(
      "SELECT current_setting('server_version') AS version",
    );
    return rows[0]?.version ?? "";
  } finally {
    await client.end();
  }
}

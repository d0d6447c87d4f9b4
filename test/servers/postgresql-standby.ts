import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Client } from "pg";
import { type Postgres, startPostgres } from "../../local/postgres.ts";
import { makeRunner } from "../../local/postgres/runner.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { run } from "./cache/run.ts";
import { makeFolder, writeTlsFiles } from "./process/folder.ts";
import { noteUse } from "./report/uses.ts";
import type { TestServer } from "./server.ts";

type Row = Readonly<Record<string, unknown>>;

/** A server of `startPostgres`. */
export interface Primary extends Pick<Postgres, "port" | "adminUser" | "adminPassword"> {
  /** PEM of the authority to trust. Without it the primary speaks no TLS. */
  readonly ca?: string;
}

/** Its `admin` is the superuser of the primary. */
export interface Standby extends TestServer {
  /** Under this name the primary knows it (`synchronous_standby_names`, `pg_stat_replication.application_name`). */
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Runs a statement as the superuser, such as `SELECT pg_wal_replay_pause()` or `SELECT pg_promote()`. */
  sql(statement: string): Promise<readonly Row[]>;
  /** Resolves when the standby has replayed everything that the primary has written until now. */
  catchUp(): Promise<void>;
}

interface Access {
  readonly port: number;
  readonly admin: Credential;
  readonly ca: string | undefined;
}

/**
 * Starts a hot standby that streams from the primary, with TLS. Nothing may drop tables or databases on the primary meanwhile,
 * because its files are copied.
 */
export async function startStandby(primary: Primary, name = "standby"): Promise<Standby> {
  const admin = { account: primary.adminUser, secret: new Secret(primary.adminPassword) };
  const source: Access = { port: primary.port, admin, ca: primary.ca };
  const folder = await makeFolder("postgresql");
  const tls = await writeTlsFiles(folder);
  const discard = () => rm(folder.path, { recursive: true, force: true });
  try {
    const cluster = join(folder.path, "cluster");
    await copyCluster(source, cluster, name);
    // Only a standby that can stream becomes ready, and its start waits for that.
    const keys = { key: tls.key, cert: tls.ca };
    const postgres = await startPostgres({ directory: cluster, tls: keys, throwaway: true });
    const own: Access = { port: postgres.port, admin, ca: tls.ca };
    const sql = (statement: string) => withClient(own, (query) => query(statement));
    const [row] = await sql("SHOW server_version");
    const version = String(row?.["server_version"]);
    noteUse("postgresql", "real", version);
    const { host, port, pid, logFile } = postgres;
    return {
      ...{ system: "postgresql", host, port, pid, logFile, name, admin, sql },
      ...{ ca: tls.ca, caFile: tls.caFile, version },
      async catchUp() {
        const [written] = await withClient(source, (query) => query("SELECT pg_current_wal_lsn()"));
        const target = String(written?.["pg_current_wal_lsn"]);
        const test = `SELECT pg_last_wal_replay_lsn() >= '${target}' AS done`;
        while ((await sql(test))[0]?.["done"] !== true) await wait(20);
      },
      async stop() {
        await postgres.close();
        await discard();
      },
    };
  } catch (error) {
    await discard();
    throw error;
  }
}

/** Takes a base backup while the primary runs, and makes it the cluster folder of a standby. */
async function copyCluster(source: Access, cluster: string, name: string): Promise<void> {
  const data = join(cluster, "data");
  await mkdir(cluster);
  await withClient(source, async (query) => {
    const [place] = await query("SHOW data_directory");
    await query("SELECT pg_backup_start('standby', fast => true)");
    await run(["cp", "-R", String(place?.["data_directory"]), data]);
    const [label] = await query("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)");
    await writeFile(join(data, "backup_label"), String(label?.["labelfile"]));
  });
  // It names the process of the primary.
  await rm(join(data, "postmaster.pid"));
  await writeFile(join(data, "standby.signal"), "");
  if (source.ca !== undefined) await writeFile(join(data, primaryCa), source.ca);
  await writeFile(join(data, "postgresql.auto.conf"), toSettings(source, name), { flag: "a" });
  await writeFile(join(cluster, "admin-password"), source.admin.secret.reveal(), { mode: 0o600 });
  await run(["chmod", "700", data]);
  const as = makeRunner();
  if (as !== undefined) await run(["chown", "-R", `${String(as.uid)}:${String(as.gid)}`, cluster]);
}

/** In the data directory, which is the folder that the server works in. */
const primaryCa = "primary-ca.pem";

/** Passwords of `startPostgres` need no quoting. */
function toSettings({ port, admin, ca }: Access, name: string): string {
  // The home folder may be that of another user, so nothing is read from it.
  const tls =
    ca === undefined
      ? "sslmode=disable"
      : `sslmode=verify-full sslrootcert=${primaryCa} sslcertmode=disable`;
  const connection =
    `host=127.0.0.1 port=${String(port)} user=${admin.account} password=${admin.secret.reveal()} ` +
    `${tls} application_name=${name}`;
  return `primary_conninfo = '${connection}'\nhot_standby = on\n`;
}

async function withClient<Result>(
  { port, admin, ca }: Access,
  work: (query: (statement: string) => Promise<readonly Row[]>) => Promise<Result>,
): Promise<Result> {
  const client = new Client({
    ...{ host: "127.0.0.1", port, database: "postgres" },
    ...{ user: admin.account, password: admin.secret.reveal() },
    ...(ca === undefined ? {} : { ssl: { ca } }),
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(async (statement) => (await client.query<Row>(statement)).rows);
  } finally {
    await client.end();
  }
}

import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { vi } from "vitest";
import { makeCertificate } from "../../../local/certificate.ts";
import { type Postgres, startPostgres } from "../../../local/postgres.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import type { AzureIdentity } from "../../../shared/rotators/rotator.ts";
import { noteUse } from "../../servers/report/uses.ts";

type Row = Readonly<Record<string, unknown>>;

/** A real PostgreSQL that logs everything, and the plain client that checks the result. */
export interface PostgresqlTarget {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly caFile: string;
  readonly logFile: string;
  /** What servers that connect to this one must know. The password is that of the superuser. */
  readonly asPrimary: Pick<Postgres, "host" | "port" | "adminUser" | "adminPassword"> & {
    readonly ca: string;
  };
  /** An admin that is not a superuser and may change the accounts made by `account`. */
  readonly admin: Credential;
  /** The app's Azure identity. Its role `entra_admin` has the same rights; its token is the password, which the server requests in clear text. */
  readonly identity: AzureIdentity;
  /** Runs a statement as superuser, on one connection that stays open. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Another superuser connection, for statements that run beside `sql`. */
  connect(): Promise<Client>;
  /** Creates the account, or sets this secret for an existing one. */
  account(name: string, secret: string): Promise<void>;
  logsIn(account: string, secret: string): Promise<boolean>;
  /** Logs in with the plain client and stays logged in; returns a function that closes the session. */
  stay(account: string, secret: string): Promise<() => Promise<void>>;
  /** Adds a first line to pg_hba.conf and returns a function that removes it; `isSeen` says when it is in force. */
  rule(line: string, isSeen: () => Promise<boolean>): Promise<() => Promise<void>>;
  /** Permits the account to log in without a password; returns a function that undoes it. */
  trust(account: string): Promise<() => Promise<void>>;
  /** Log-ins that the server has checked, without those of the superuser. */
  logIns(): Promise<number>;
  /** Connections other than `sql`. */
  openConnections(): Promise<number>;
  stop(): Promise<void>;
}

const loggingAll = {
  log_statement: "all",
  log_min_error_statement: "debug5",
  log_min_duration_statement: "0",
  log_parameter_max_length: "-1",
  log_parameter_max_length_on_error: "-1",
  log_connections: "all",
};

export async function startPostgresqlTarget(): Promise<PostgresqlTarget> {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-postgresql-"));
  const certificate = await makeCertificate();
  const server = await startPostgres({
    directory,
    tls: certificate,
    throwaway: true,
    settings: { ...loggingAll, allow_system_table_mods: "on" },
  });
  const { host, port } = server;
  const fixtures = await mkdtemp(join(tmpdir(), "keyturn-authority-"));
  const caFile = join(fixtures, "ca.pem");
  await writeFile(caFile, certificate.ca);

  const clientFor = (user: string, password: string) =>
    new Client({ host, port, user, password, database: "postgres", ssl: { ca: certificate.ca } });

  async function connect(): Promise<Client> {
    const client = clientFor(server.adminUser, server.adminPassword);
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  const superuser = await connect();
  const sql = async (text: string, values: readonly unknown[] = []) =>
    (await superuser.query<Row>(text, [...values])).rows;

  const [row] = await sql("SHOW server_version");
  noteUse("postgresql", "real", String(row?.["server_version"]));
  const admin = { account: "rotation_admin", secret: new Secret(randomBytes(24).toString("hex")) };
  await sql(`CREATE ROLE rotation_admin LOGIN CREATEROLE PASSWORD '${admin.secret.reveal()}'`);

  // As long as a real one.
  const token = new Secret(`eyJ0eXAiOiJKV1Qi.${randomBytes(1400).toString("base64url")}.c2ln`);
  const identity: AzureIdentity = { as: "identity", getToken: () => Promise.resolve(token) };
  await sql(`CREATE ROLE entra_admin LOGIN CREATEROLE PASSWORD '${token.reveal()}'`);

  async function logsIn(account: string, secret: string): Promise<boolean> {
    const client = clientFor(account, secret);
    client.on("error", () => undefined);
    try {
      await client.connect();
      return true;
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, "code") === "28P01") return false;
      throw error;
    } finally {
      await client.end();
    }
  }

  async function rule(line: string, isSeen: () => Promise<boolean>) {
    const [row] = await sql("SHOW hba_file");
    const file = String(row?.["hba_file"]);
    const rules = await readFile(file, "utf8");
    const load = async (text: string, expected: boolean) => {
      await writeFile(file, text);
      await sql("SELECT pg_reload_conf()");
      await vi.waitUntil(async () => (await isSeen()) === expected, { timeout: 10_000 });
    };
    await load(`${line}\n${rules}`, true);
    return () => load(rules, false);
  }
  await rule("hostssl all entra_admin 127.0.0.1/32 password", async () => {
    const rows = await sql("SELECT FROM pg_hba_file_rules WHERE auth_method = 'password'");
    return rows.length > 0;
  });

  return {
    host,
    port,
    caFile,
    logFile: server.logFile,
    asPrimary: {
      host,
      port,
      adminUser: server.adminUser,
      adminPassword: server.adminPassword,
      ca: certificate.ca,
    },
    admin,
    identity,
    sql,
    connect,
    async account(name, secret) {
      const role = escapeIdentifier(name);
      const there = await sql("SELECT FROM pg_roles WHERE rolname = $1", [name]);
      if (there.length === 0) {
        await sql(`CREATE ROLE ${role} LOGIN`);
        await sql(`GRANT ${role} TO rotation_admin, entra_admin WITH ADMIN OPTION`);
      }
      await sql(`ALTER ROLE ${role} PASSWORD ${escapeLiteral(secret)}`);
    },
    logsIn,
    rule,
    trust: (account) =>
      rule(`host all ${escapeIdentifier(account)} 127.0.0.1/32 trust`, () =>
        logsIn(account, "wrong"),
      ),
    async logIns() {
      const log = await readFile(server.logFile, "utf8");
      const looked =
        /connection authenticated: identity="(?!postgres")|password authentication failed/g;
      return [...log.matchAll(looked)].length;
    },
    async stay(account, secret) {
      const client = clientFor(account, secret);
      client.on("error", () => undefined);
      await client.connect();
      return () => client.end();
    },
    async openConnections() {
      const [row] = await sql(
        `SELECT count(*)::int AS open FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
      );
      return Number(row?.["open"]);
    },
    async stop() {
      await superuser.end();
      await server.close();
      await rm(fixtures, { recursive: true, force: true });
    },
  };
}

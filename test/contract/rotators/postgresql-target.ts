import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { vi } from "vitest";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import type { AzureIdentity } from "../../../shared/rotators/rotator.ts";
import { isOwn } from "../../servers/own.ts";
import {
  type StartedPostgresql,
  startPostgresql,
  usePostgresql,
} from "../../servers/postgresql.ts";
import type { TestServer } from "../../servers/server.ts";

type Row = Readonly<Record<string, unknown>>;

/** The roles of the admin and of the app's identity. */
const admins = ["rotation_admin", "entra_admin"];

/** A real PostgreSQL, and the plain client that checks the result. */
export interface PostgresqlTarget {
  readonly host: string;
  readonly port: number;
  readonly caFile: string;
  /** An admin that is not a superuser and may change the accounts made by `account`. */
  readonly admin: Credential;
  /** The app's Azure identity. Its role `entra_admin` has the same rights; its token is the password, which a started server requests in clear text. */
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
  /** Log-ins that the server has accepted. */
  logIns(): Promise<number>;
  /** Connections other than `sql`. */
  openConnections(): Promise<number>;
  stop(): Promise<void>;
}

export interface StartedPostgresqlTarget
  extends PostgresqlTarget, Pick<StartedPostgresql, "asPrimary" | "logFile"> {
  readonly host: "127.0.0.1";
  /** Adds a first line to pg_hba.conf and returns a function that removes it; `isSeen` says when it is in force. */
  rule(line: string, isSeen: () => Promise<boolean>): Promise<() => Promise<void>>;
  /** Permits the account to log in without a password; returns a function that undoes it. */
  trust(account: string): Promise<() => Promise<void>>;
}

/** A server that the tests start, for tests that read its log or change who may log in. */
export async function startPostgresqlTarget(): Promise<StartedPostgresqlTarget> {
  const server = await startPostgresql();
  const target = await openTarget(server);

  async function rule(line: string, isSeen: () => Promise<boolean>) {
    const [row] = await target.sql("SHOW hba_file");
    const file = String(row?.["hba_file"]);
    const rules = await readFile(file, "utf8");
    const load = async (text: string, expected: boolean) => {
      await writeFile(file, text);
      await target.sql("SELECT pg_reload_conf()");
      await vi.waitUntil(async () => (await isSeen()) === expected, { timeout: 10_000 });
    };
    await load(`${line}\n${rules}`, true);
    return () => load(rules, false);
  }
  await rule("hostssl all entra_admin 127.0.0.1/32 password", async () => {
    const rows = await target.sql("SELECT FROM pg_hba_file_rules WHERE auth_method = 'password'");
    return rows.length > 0;
  });

  const { host, asPrimary, logFile } = server;
  return {
    ...target,
    host,
    asPrimary,
    logFile,
    rule,
    trust: (account) =>
      rule(`host all ${escapeIdentifier(account)} 127.0.0.1/32 trust`, () =>
        target.logsIn(account, "wrong"),
      ),
  };
}

/** The server that the environment names, or one that the tests start. */
export const usePostgresqlTarget = async (): Promise<PostgresqlTarget | StartedPostgresqlTarget> =>
  isOwn("postgresql") ? openTarget(await usePostgresql()) : startPostgresqlTarget();

async function openTarget(server: TestServer): Promise<PostgresqlTarget> {
  const { host, port, ca, caFile } = server;
  const root = server.admin;

  const clientFor = (user: string, password: string) =>
    new Client({ host, port, user, password, database: "postgres", ssl: { ca } });

  async function connect(): Promise<Client> {
    const client = clientFor(root.account, root.secret.reveal());
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  const superuser = await connect();
  const sql = async (text: string, values: readonly unknown[] = []) =>
    (await superuser.query<Row>(text, [...values])).rows;

  const made = new Set<string>();
  const isShared = isOwn("postgresql");
  async function drop(...names: readonly string[]): Promise<void> {
    for (const name of names) await sql(`DROP ROLE IF EXISTS ${escapeIdentifier(name)}`);
  }
  // An earlier run may have been killed.
  if (isShared) {
    const left = await sql(
      "SELECT DISTINCT roleid::regrole::text AS name FROM pg_auth_members WHERE member::regrole::text = ANY ($1)",
      [admins],
    );
    for (const { name } of left) await sql(`DROP ROLE ${String(name)}`);
    await drop(...admins);
  }
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

  return {
    host,
    port,
    caFile,
    admin,
    identity,
    sql,
    connect,
    async account(name, secret) {
      const role = escapeIdentifier(name);
      if (isShared && !made.has(name)) await drop(name);
      made.add(name);
      const there = await sql("SELECT FROM pg_roles WHERE rolname = $1", [name]);
      if (there.length === 0) {
        await sql(`CREATE ROLE ${role} LOGIN`);
        await sql(`GRANT ${role} TO rotation_admin, entra_admin WITH ADMIN OPTION`);
      }
      await sql(`ALTER ROLE ${role} PASSWORD ${escapeLiteral(secret)}`);
    },
    logsIn,
    async logIns() {
      const [row] = await sql("SELECT sum(sessions)::int AS number FROM pg_stat_database");
      return Number(row?.["number"]);
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
      if (isShared) await drop(...made, ...admins);
      await superuser.end();
      await server.stop();
    },
  };
}

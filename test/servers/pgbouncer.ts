import { Client } from "pg";
import type { Credential } from "../../shared/core/secrets/secret.ts";
import { unpackDebian } from "./cache/debian.ts";
import { makeAdmin } from "./process/credential.ts";
import { makeFolder, type TlsFiles, writeTlsFiles } from "./process/folder.ts";
import { launch } from "./process/launch.ts";
import { toStartedServer } from "./process/started.ts";
import { type StartedServer, systems } from "./server.ts";

export interface PgbouncerOptions {
  /** The PostgreSQL behind it, which must speak TLS. */
  readonly postgresql: {
    readonly host: string;
    readonly port: number;
    /** PEM of the authority to trust. */
    readonly ca: string;
  };
  /**
   * Accounts with their clear passwords or their verifiers, as PgBouncer's `auth_file` has them. With `lookUpAs`, other accounts are
   * looked up in PostgreSQL.
   */
  readonly users?: readonly Credential[];
  /** A superuser of PostgreSQL that reads the verifiers of all accounts which are not in `users` (`auth_query`). */
  readonly lookUpAs?: Credential;
  /** Of the section `[pgbouncer]`, such as `{ pool_mode: "transaction" }`. They win over those given here. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Default: the version of this machine's suite, such as 1.18. `newer`: the version of Debian unstable, such as 1.26. */
  readonly release?: "newer";
}

export interface Pgbouncer extends StartedServer {
  /** Replaces `users`. Resolves when PgBouncer has read the new list. */
  setUsers(users: readonly Credential[]): Promise<void>;
}

/**
 * Starts PgBouncer in front of a PostgreSQL, with all of its databases. Connections must use TLS, on both sides, and SCRAM. `admin`
 * is an account of the console, which is the database `pgbouncer`; it is no account of PostgreSQL.
 */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer> {
  const { users = [], lookUpAs, release } = options;
  const unpacked = await unpackDebian({
    ...{ system: "pgbouncer", packages: ["pgbouncer"] },
    suite: release === "newer" ? "sid" : "own",
  });
  const folder = await makeFolder("pgbouncer");
  const tls = await writeTlsFiles(folder);
  const admin = makeAdmin();
  const writeUsers = (listed: readonly Credential[]) =>
    folder.write("userlist.txt", toUserList([admin, ...(lookUpAs ? [lookUpAs] : []), ...listed]));
  const files = {
    auth_file: await writeUsers(users),
    server_tls_ca_file: await folder.write("postgresql-ca.pem", options.postgresql.ca),
  };
  const server = await launch({
    name: systems.pgbouncer,
    folder,
    async command(port) {
      const settings = { ...toSettings(options, tls, port), ...files, admin_users: admin.account };
      const lines = Object.entries({ ...settings, ...options.settings });
      const { host, port: behind } = options.postgresql;
      const ini = [
        ...["[databases]", `* = host=${host} port=${String(behind)}`, "[pgbouncer]"],
        ...lines.map(([name, value]) => `${name} = ${value}`),
      ];
      const file = await folder.write("pgbouncer.ini", `${ini.join("\n")}\n`);
      return unpacked.command("usr/sbin/pgbouncer", file);
    },
    ready: /process up/,
    // SIGTERM waits until all clients have left.
    stopSignal: "SIGQUIT",
  });
  const access = { port: server.port, ca: tls.ca, admin };
  const version = await runOnConsole(access, "SHOW VERSION");
  const data = folder.path;
  const started = toStartedServer(server, { system: "pgbouncer", tls, version, admin, data });
  return Object.assign(started, {
    async setUsers(listed: readonly Credential[]) {
      await writeUsers(listed);
      await runOnConsole(access, "RELOAD");
    },
  });
}

function toSettings(
  { lookUpAs }: PgbouncerOptions,
  tls: TlsFiles,
  port: number,
): Readonly<Record<string, string>> {
  return {
    listen_addr: "127.0.0.1",
    listen_port: String(port),
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    ...(lookUpAs === undefined ? {} : { auth_user: lookUpAs.account }),
    client_tls_sslmode: "require",
    client_tls_key_file: tls.keyFile,
    client_tls_cert_file: tls.certFile,
    server_tls_sslmode: "verify-full",
    ignore_startup_parameters: "extra_float_digits",
  };
}

/** In this file a quote is doubled. */
const toUserList = (users: readonly Credential[]): string =>
  users
    .map(({ account, secret }) =>
      [account, secret.reveal()].map((word) => `"${word.replaceAll('"', '""')}"`).join(" "),
    )
    .map((line) => `${line}\n`)
    .join("");

interface Access {
  readonly port: number;
  readonly ca: string;
  readonly admin: Credential;
}

/** Returns the first value of the answer, or an empty text. */
async function runOnConsole({ port, ca, admin }: Access, statement: string): Promise<string> {
  const client = new Client({
    ...{ host: "127.0.0.1", port, ssl: { ca }, database: "pgbouncer" },
    ...{ user: admin.account, password: admin.secret.reveal() },
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Readonly<Record<string, string>>>(statement);
    return (Object.values(rows[0] ?? {})[0] ?? "").replace(/^PgBouncer /, "");
  } finally {
    await client.end();
  }
}

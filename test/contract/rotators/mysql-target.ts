import { randomBytes } from "node:crypto";
import { type Connection, type ConnectionOptions, createConnection } from "mysql2/promise";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mysql, type MysqlOptions } from "../../../shared/rotators/mysql/mysql.ts";
import type { AzureIdentity } from "../../../shared/rotators/rotator.ts";
import { startMariadb, useMariadb } from "../../servers/mariadb.ts";
import { startMysql, useMysql } from "../../servers/mysql.ts";
import { isOwn } from "../../servers/own.ts";
import type { StartOptions, TestServer } from "../../servers/server.ts";

/** The two MariaDB releases differ, for example in how they store and show accounts. */
export const mysqlSystems = ["mysql", "mariadb", "newer mariadb"] as const;

export type MysqlSystem = (typeof mysqlSystems)[number];

/** `start` starts a server; `use` prefers one that the environment names. */
const servers = {
  mysql: { system: "mysql", start: startMysql, use: useMysql },
  mariadb: { system: "mariadb", start: startMariadb, use: useMariadb },
  "newer mariadb": {
    system: "mariadb",
    start: (options: StartOptions) => startMariadb({ ...options, release: "newer" }),
    use: () => useMariadb({ release: "newer" }),
  },
} as const;

/** The system of the environment variable that names a server instead. */
export const systemOf = (system: MysqlSystem) => servers[system].system;

type Row = Readonly<Record<string, unknown>>;

/** A real MySQL or MariaDB that logs all log-ins, and the plain client that checks the result. */
export interface MysqlTarget {
  readonly server: TestServer;
  /** An admin with the rights of the documentation. */
  readonly admin: Credential;
  optionsWith(changed?: object): MysqlOptions;
  /** Creates an account like the admin whose password is a token, and returns the identity that gets it. */
  identity(account: string): Promise<AzureIdentity>;
  /** Runs a statement with all rights, on one connection that stays open. */
  sql(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** Another connection. Default: with all rights. */
  connect(credential?: Credential, changed?: ConnectionOptions): Promise<Connection>;
  /** Creates the account for every host, or sets this secret for an existing one, as its only one. */
  account(name: string, secret: string): Promise<void>;
  /** Whether the plain client logs in. Throws if the server refuses the account for another reason than its secret. */
  logsIn(account: string, secret: string): Promise<boolean>;
  stay(account: string, secret: string): Promise<() => Promise<void>>;
  /** Everything that is stored about all accounts. */
  snapshot(): Promise<unknown>;
  /** Log-ins that the server has checked, without those of `sql`. */
  logIns(): Promise<number>;
  /** Connections other than `sql` and `connect`. */
  openConnections(): Promise<number>;
  stop(): Promise<void>;
}

export const tableOfAccounts = (system: MysqlSystem) =>
  system === "mysql" ? "user" : "global_priv";

export const newSecret = () => new Secret(`Aa1-${randomBytes(24).toString("base64url")}`);

/** Those of docs/rotators/mysql.md. */
const documented = (system: MysqlSystem): readonly string[] => [
  "CREATE USER, PROCESS ON *.*",
  `SELECT ON mysql.${tableOfAccounts(system)}`,
];

export async function startMysqlTarget(
  system: MysqlSystem,
  { flags = [] }: StartOptions = {},
): Promise<MysqlTarget> {
  return openTarget(system, await servers[system].start({ flags }));
}

/** The server that the environment names, or one that it starts. `rights`: of the admin. Default: those of the documentation. */
export async function useMysqlTarget(
  system: MysqlSystem,
  rights?: readonly string[],
): Promise<MysqlTarget> {
  return openTarget(system, await servers[system].use(), rights);
}

async function openTarget(
  system: MysqlSystem,
  server: TestServer,
  rights = documented(system),
): Promise<MysqlTarget> {
  const { host, port, ca, caFile } = server;
  const own = new Set<number>();

  async function connect(
    credential = server.admin,
    changed: ConnectionOptions = {},
  ): Promise<Connection> {
    const connection = await createConnection({
      host,
      port,
      user: credential.account,
      password: credential.secret.reveal(),
      ssl: { ca },
      ...changed,
    });
    connection.on("error", () => undefined);
    own.add(connection.threadId);
    return connection;
  }

  const superuser = await connect();
  const sql = async (text: string, values: readonly unknown[] = []) => {
    const [rows] = await superuser.query<never>(text, [...values]);
    return rows as readonly Row[];
  };
  const [logging] = await sql("SELECT @@GLOBAL.general_log AS log, @@GLOBAL.log_output AS output");
  const logTo = async (log: unknown, output: unknown) => {
    await sql("SET GLOBAL log_output = ?", [output]);
    await sql("SET GLOBAL general_log = ?", [Number(log)]);
  };
  await logTo(1, "TABLE");
  const made = new Set<string>();
  /** On a server that the environment names, an earlier run may have left an account of this name. */
  async function begin(account: string): Promise<void> {
    if (!made.has(account) && isOwn(systemOf(system))) {
      await sql("DROP USER IF EXISTS ?@'%'", [account]);
    }
    made.add(account);
  }
  async function makeAdmin(account: string): Promise<Credential> {
    const secret = newSecret();
    await begin(account);
    await sql("CREATE USER ?@'%' IDENTIFIED BY ?", [account, secret.reveal()]);
    for (const right of rights) await sql(`GRANT ${right} TO ?@'%'`, [account]);
    return { account, secret };
  }
  const admin = await makeAdmin("rotation_admin");

  async function logsIn(account: string, secret: string): Promise<boolean> {
    try {
      const connection = await createConnection({
        host,
        port,
        user: account,
        password: secret,
        ssl: { ca },
      });
      await connection.end();
      return true;
    } catch (error) {
      if (error instanceof Error && Reflect.get(error, "errno") === 1045) return false;
      throw error;
    }
  }

  return {
    server,
    admin,
    optionsWith: (changed = {}) => mysql.options.parse({ host, port, tls: { caFile }, ...changed }),
    async identity(account) {
      const token = await makeAdmin(account);
      const getToken = (scope: string) =>
        scope === "https://ossrdbms-aad.database.windows.net/.default"
          ? Promise.resolve(token.secret)
          : Promise.reject(new Error(`no token for ${scope}`));
      return { as: "identity", getToken };
    },
    sql,
    connect,
    async account(name, secret) {
      await begin(name);
      await sql("CREATE USER IF NOT EXISTS ?@'%' IDENTIFIED BY ?", [name, secret]);
      await sql("ALTER USER ?@'%' IDENTIFIED BY ?", [name, secret]);
      if (system === "mysql") await sql("ALTER USER ?@'%' DISCARD OLD PASSWORD", [name]);
    },
    logsIn,
    async stay(account, secret) {
      const connection = await createConnection({
        host,
        port,
        user: account,
        password: secret,
        ssl: { ca },
      });
      return () => connection.end();
    },
    snapshot: () => sql(`SELECT * FROM mysql.${tableOfAccounts(system)} ORDER BY User, Host`),
    async logIns() {
      const [row] = await sql(
        "SELECT COUNT(*) AS number FROM mysql.general_log WHERE command_type = 'Connect' AND argument LIKE '%@% on %' AND argument NOT LIKE ?",
        [`${server.admin.account}@%`],
      );
      return Number(row?.["number"]);
    },
    async openConnections() {
      const rows = await sql(
        "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND <> 'Daemon' AND USER NOT IN ('system user', 'event_scheduler')",
      );
      return rows.filter(({ id }) => !own.has(Number(id))).length;
    },
    async stop() {
      if (isOwn(systemOf(system))) {
        for (const account of made) await sql("DROP USER IF EXISTS ?@'%'", [account]);
        await logTo(logging?.["log"], logging?.["output"]);
      }
      await superuser.end();
      await server.stop();
    },
  };
}

import { join } from "node:path";
import { run } from "./cache/run.ts";
import { baseFlags, type Relative, startRelative } from "./mysql-family.ts";
import { readGreeting } from "./mysql-greeting.ts";
import { findOwnServer } from "./own.ts";
import type { StartedServer, StartOptions, TestServer } from "./server.ts";

const program = "usr/sbin/mysqld";

const mysql: Relative = {
  // Debian's stable suites have MariaDB only.
  wanted: { system: "mysql", suite: "sid", packages: ["mysql-server-core"] },
  program,
  flags: ({ folder }) => [
    `--plugin-dir=${join(folder, "usr/lib/mysql/plugin")}`,
    "--mysqlx=OFF",
    "--secure-file-priv=NULL",
  ],
  async initialise(unpacked, data, as) {
    const command = unpacked.command(
      program,
      ...baseFlags(unpacked),
      "--initialize-insecure",
      `--datadir=${data}`,
      "--innodb-redo-log-capacity=8M",
    );
    await run(command, { as });
  },
};

/** Starts MySQL of Debian unstable (9.x): TLS on offer, plain connections allowed, all authentication plugins. */
export const startMysql = (options: StartOptions = {}): Promise<StartedServer> =>
  startRelative(mysql, options);

/** Returns the server that KEYTURN_TEST_MYSQL names, or starts one. For suites that run on any server. */
export const useMysql = async (): Promise<TestServer> =>
  (await findOwnServer("mysql", ({ host, port }) => readGreeting(host, port))) ?? startMysql();

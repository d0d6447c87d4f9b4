import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Unpacked } from "./cache/debian.ts";
import { run } from "./cache/run.ts";
import { baseFlags, findShare, type Relative, startRelative } from "./mysql-family.ts";
import { readGreeting } from "./mysql-greeting.ts";
import { findOwnServer } from "./own.ts";
import type { StartedServer, StartOptions, TestServer } from "./server.ts";

const program = "usr/sbin/mariadbd";

/** With the plugins for log-ins and password rules, which `mariadb-server-core` lacks, and the program that makes dictionaries. */
const packages = ["mariadb-server", "mariadb-plugin-cracklib-password-check", "cracklib-runtime"];

/** A dictionary of these words for `cracklib_password_check`. */
const words = ["football", "keyturn", "password"];
const dictionaryOf = ({ folder }: Unpacked): string => join(folder, "cracklib_dict");

/** The order in which mariadb-install-db runs them. That script runs no program through a loader of its own. */
const scripts = [
  "system_tables",
  "performance_tables",
  "system_tables_data",
  "add_gis_sp_bootstrap",
  "sys_schema",
];

async function bootstrapStatements(unpacked: Unpacked): Promise<string> {
  const share = findShare(unpacked);
  const names = await readdir(share);
  const parts = ["CREATE DATABASE mysql;", "USE mysql;", "SET @auth_root_socket=NULL;"];
  for (const script of scripts) {
    // The prefix is mysql_, maria_ or mariadb_, depending on the version.
    const name = names.find((it) => new RegExp(`^m[a-z]+_${script}\\.sql$`).test(it));
    if (name === undefined) throw new Error(`MariaDB's packages have no script *_${script}.sql.`);
    parts.push(await readFile(join(share, name), "utf8"));
  }
  // These would log in over the network, without a password.
  parts.push("DELETE FROM global_priv WHERE User = 'root' AND Host <> 'localhost';");
  return parts.join("\n");
}

const mariadb: Omit<Relative, "wanted"> = {
  program,
  flags: (unpacked) => [
    `--plugin-dir=${join(unpacked.folder, "usr/lib/mysql/plugin")}`,
    `--loose-cracklib-password-check-dictionary=${dictionaryOf(unpacked)}`,
  ],
  async initialise(unpacked, data, as) {
    const command = unpacked.command(
      program,
      ...baseFlags(unpacked),
      ...["--bootstrap", `--datadir=${data}`, "--innodb-log-file-size=8M"],
    );
    await run(command, { as, input: await bootstrapStatements(unpacked) });
    const pack = unpacked.command("usr/sbin/cracklib-packer", dictionaryOf(unpacked));
    await run(pack, { input: `${words.join("\n")}\n` });
  },
};

export interface MariadbOptions extends StartOptions {
  /** Default: the version of this machine's suite, such as 10.11. `newer`: the version of Debian unstable, such as 11.8. */
  readonly release?: "newer";
}

/** Starts MariaDB: TLS on offer, plain connections allowed. */
export const startMariadb = (options: MariadbOptions = {}): Promise<StartedServer> =>
  startRelative(
    {
      ...mariadb,
      wanted:
        options.release === "newer"
          ? { system: "mariadb", suite: "sid", packages }
          : { system: "mariadb", suite: "own", packages },
    },
    options,
  );

/** Returns the server that KEYTURN_TEST_MARIADB names, or starts one. For suites that run on any server. */
export const useMariadb = async (options?: MariadbOptions): Promise<TestServer> =>
  (await findOwnServer("mariadb", ({ host, port }) => readGreeting(host, port))) ??
  startMariadb(options);

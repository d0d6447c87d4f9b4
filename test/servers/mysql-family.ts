import { existsSync } from "node:fs";
import { join } from "node:path";
import { makeRunner, type Runner } from "../../local/postgres/runner.ts";
import { unpackDebian, type Unpacked, type Wanted } from "./cache/debian.ts";
import { run } from "./cache/run.ts";
import { readGreeting } from "./mysql-greeting.ts";
import { makeAdmin } from "./process/credential.ts";
import { makeFolder, writeTlsFiles } from "./process/folder.ts";
import { launch } from "./process/launch.ts";
import { toStartedServer } from "./process/started.ts";
import { type StartedServer, type StartOptions, systems } from "./server.ts";

/** How one relative of MySQL differs from the others. */
export interface Relative {
  readonly wanted: Omit<Wanted, "prepare">;
  /** The server's program, in the packages. */
  readonly program: string;
  flags(unpacked: Unpacked): readonly string[];
  /** Makes a data directory whose root has no password, as the user that the server runs as. */
  initialise(unpacked: Unpacked, data: string, as: Runner): Promise<void>;
}

/** The folder of messages and scripts; newer MariaDB has a name of its own for it. */
export function findShare({ folder }: Unpacked): string {
  const own = join(folder, "usr/share/mariadb");
  return existsSync(own) ? own : join(folder, "usr/share/mysql");
}

/** Flags of every run of the server's program. */
export const baseFlags = (unpacked: Unpacked): readonly string[] => [
  "--no-defaults",
  `--basedir=${join(unpacked.folder, "usr")}`,
  `--lc-messages-dir=${findShare(unpacked)}`,
];

/** Made once, next to the packages in the cache, and copied for each server. */
const preparedData = (unpacked: Unpacked): string => join(unpacked.folder, "data");

async function prepareData(relative: Relative, unpacked: Unpacked): Promise<void> {
  const data = preparedData(unpacked);
  const as = makeRunner();
  await run(["mkdir", data]);
  if (as !== undefined) await run(["chown", `${String(as.uid)}:${String(as.gid)}`, data]);
  await relative.initialise(unpacked, data, as);
  // Other users of the cache copy it too. Nothing in it is secret.
  await run(["chmod", "-R", "a+rX", data]);
}

async function copyData(unpacked: Unpacked, data: string): Promise<void> {
  const as = makeRunner();
  await run(["cp", "-r", "--reflink=auto", preparedData(unpacked), data]);
  if (as !== undefined) await run(["chown", "-R", `${String(as.uid)}:${String(as.gid)}`, data]);
}

/** Starts a server on which nobody but `admin` can log in over the network. */
export async function startRelative(
  relative: Relative,
  { flags }: StartOptions,
): Promise<StartedServer> {
  const { wanted, program } = relative;
  const { system } = wanted;
  const unpacked = await unpackDebian({
    ...wanted,
    prepare: (fresh) => prepareData(relative, fresh),
  });
  const folder = await makeFolder(system);
  const tls = await writeTlsFiles(folder);
  const data = join(folder.path, "data");
  await copyData(unpacked, data);
  const admin = makeAdmin();
  const account = `'${admin.account}'@'%'`;
  const initFile = await folder.write(
    "init.sql",
    `CREATE USER ${account} IDENTIFIED BY '${admin.secret.reveal()}';\n` +
      `GRANT ALL ON *.* TO ${account} WITH GRANT OPTION;\n`,
  );
  const server = await launch({
    name: systems[system],
    folder,
    command: (port) =>
      unpacked.command(
        program,
        ...baseFlags(unpacked),
        `--datadir=${data}`,
        ...["--bind-address=127.0.0.1", `--port=${String(port)}`, "--skip-name-resolve"],
        ...[`--socket=${join(folder.path, "sock")}`, `--pid-file=${join(folder.path, "pid")}`],
        ...[`--ssl-ca=${tls.caFile}`, `--ssl-cert=${tls.certFile}`, `--ssl-key=${tls.keyFile}`],
        ...["--skip-log-bin", "--innodb-buffer-pool-size=16M"],
        // Does not wait for the disk, and still loses nothing when the server crashes.
        "--innodb-flush-log-at-trx-commit=2",
        ...relative.flags(unpacked),
      ),
    ready: /ready for connections/,
    flags,
    firstFlags: [`--init-file=${initFile}`],
  });
  const version = await readGreeting("127.0.0.1", server.port);
  return toStartedServer(server, { system, tls, version, admin, data });
}

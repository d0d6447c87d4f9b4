import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { chown, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { endWithParent } from "./end-with-parent.ts";
import { findFreePort } from "./free-port.ts";
import { type Binaries, loadBinaries } from "./postgres/binaries.ts";
import { stopOrphan } from "./postgres/orphan.ts";
import { makeRunner, type Runner, toClusterFolder } from "./postgres/runner.ts";

export interface PostgresOptions {
  /** The folder of the cluster. An existing cluster is started again, with its password. */
  readonly directory: string;
  /** Default: a free port. */
  readonly port?: number;
  /** PEM. Without it the server speaks no TLS. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Used for a new cluster only. Default: a random password. */
  readonly adminPassword?: string;
  /** Server settings, such as `{ log_statement: "all" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** For tests: does not wait for the disk, deletes the cluster on close, and on Linux ends with this process. */
  readonly throwaway?: boolean;
}

export interface Postgres {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly adminUser: "postgres";
  readonly adminPassword: string;
  readonly pid: number;
  /** The log file of the server. */
  readonly logFile: string;
  /** Resolves when the server has ended for any reason. Never rejects. */
  readonly exited: Promise<void>;
  /** Ends all sessions and stops the server. Resolves when all its processes have ended. Safe to repeat. */
  close(): Promise<void>;
}

/**
 * Starts a real PostgreSQL on 127.0.0.1, with SCRAM-SHA-256 for every log-in. First stops a server that a killed process left
 * running in the same directory, so two callers must not share a directory.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const as = makeRunner();
  const binaries = await loadBinaries(as);
  const folder = await realpath(await toClusterFolder(options.directory, as));
  const data = join(folder, "data");
  await stopOrphan(data);
  const adminPassword = await ensureCluster(binaries, folder, as, options.adminPassword);
  const args = [...(await toSettings(options, folder, as)), "-D", data];
  const logFile = join(folder, "postgres.log");
  const discard = async () => {
    if (options.throwaway === true) await rm(folder, { recursive: true, force: true });
  };
  const { port: wanted, throwaway = false } = options;
  const place = { data, logFile, as, port: wanted, throwaway };
  const { child, port, gone } = await launch(binaries, args, place).catch(
    async (error: unknown) => {
      await discard();
      throw error;
    },
  );
  return {
    host: "127.0.0.1",
    port,
    adminUser: "postgres",
    adminPassword,
    pid: child.pid ?? 0,
    logFile,
    exited: new Promise((resolve) => {
      if (hasExited(child)) resolve();
      else
        child.once("exit", () => {
          resolve();
        });
    }),
    async close() {
      await stop(child);
      // The processes of a killed server continue to write for a moment.
      await gone;
      await discard();
    },
  };
}

/** Makes the cluster if it does not exist. Returns the password of its administrator. */
async function ensureCluster(
  binaries: Binaries,
  folder: string,
  as: Runner,
  newPassword: string | undefined,
): Promise<string> {
  const data = join(folder, "data");
  const passwordFile = join(folder, "admin-password");
  const exists = await stat(join(data, "PG_VERSION")).catch(() => undefined);
  if (exists !== undefined) return readFile(passwordFile, "utf8");

  // Made in another folder and renamed, so that an interrupted attempt never looks like a cluster.
  const fresh = `${data}.new`;
  await rm(fresh, { recursive: true, force: true });
  const password = newPassword ?? randomBytes(24).toString("base64url");
  const handover = join(folder, "handover");
  await writeFile(handover, password, { mode: 0o600 });
  try {
    if (as !== undefined) await chown(handover, as.uid, as.gid);
    await initialise(binaries, fresh, handover, as);
  } finally {
    await rm(handover, { force: true });
  }
  await writeFile(passwordFile, password, { mode: 0o600 });
  await rename(fresh, data);
  return password;
}

async function initialise(
  binaries: Binaries,
  data: string,
  passwordFile: string,
  as: Runner,
): Promise<void> {
  const args = ["--auth=scram-sha-256", "--username=postgres", `--pwfile=${passwordFile}`];
  args.push("--locale=C", "--encoding=UTF8", "--no-sync", "-D", data);
  const child = spawn(binaries.initdb, args, {
    ...as,
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`initdb failed (exit code ${String(code)}):\n${output.trim()}`);
}

async function toSettings(options: PostgresOptions, folder: string, as: Runner): Promise<string[]> {
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    // Disabled, because socket paths are limited to about 100 characters, which a deep directory exceeds.
    unix_socket_directories: "",
    password_encryption: "scram-sha-256",
    ...(options.throwaway === true ? { fsync: "off", full_page_writes: "off" } : {}),
  };
  if (options.tls !== undefined) {
    const key = join(folder, "server.key");
    const cert = join(folder, "server.crt");
    // Deleted first, because a rewritten file would keep its previous owner.
    await Promise.all([rm(key, { force: true }), rm(cert, { force: true })]);
    await writeFile(key, options.tls.key, { mode: 0o600 });
    await writeFile(cert, options.tls.cert);
    if (as !== undefined) await chown(key, as.uid, as.gid);
    Object.assign(settings, { ssl: "on", ssl_key_file: key, ssl_cert_file: cert });
  }
  return Object.entries({ ...settings, ...options.settings }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
}

interface Place {
  readonly data: string;
  readonly logFile: string;
  readonly as: Runner;
  readonly port: number | undefined;
  readonly throwaway: boolean;
}

/** The start is retried, because another process may take the free port first, and processes of a killed server may still run. */
const maxAttempts = 100;

async function launch(binaries: Binaries, args: string[], place: Place) {
  for (let attempt = 1; ; attempt++) {
    const port = place.port ?? (await findFreePort());
    const log = openSync(place.logFile, "a", 0o600);
    const command = [binaries.postgres, ...args, "-p", String(port)] as const;
    // SIGQUIT makes PostgreSQL free its shared memory, which SIGKILL would not.
    const [program, ...rest] = place.throwaway ? endWithParent(command, "QUIT") : command;
    const child = spawn(program, rest, {
      ...place.as,
      cwd: "/",
      // Its own process group, so that a terminal's Ctrl-C does not reach it.
      detached: true,
      // Every process of the server inherits the pipe and none writes to it, so it closes when the last of them has ended.
      stdio: ["ignore", log, log, "pipe"],
    });
    closeSync(log);
    const gone = new Promise<void>((resolve) => {
      child.once("close", () => {
        resolve();
      });
    });
    if (await isReady(child, place.data)) return { child, port, gone };
    await gone;
    const tail = (await readFile(place.logFile, "utf8")).split("\n").slice(-8).join("\n").trim();
    const passing = /Address already in use|shared memory block .* is still in use/.test(tail);
    if (!passing || attempt === maxAttempts) throw new Error(`PostgreSQL did not start:\n${tail}`);
    await wait(100);
  }
}

/** Returns true when the server accepts connections, and false when it has ended. */
async function isReady(child: ChildProcess, data: string): Promise<boolean> {
  let ended = false;
  child.once("error", () => (ended = true)).once("exit", () => (ended = true));
  while (!hasEnded()) {
    const lines = await readFile(join(data, "postmaster.pid"), "utf8").catch(() => "");
    const [pid, , , , , , , status] = lines.split("\n");
    if (pid === String(child.pid) && status?.trim() === "ready") return true;
    await wait(5);
  }
  return false;

  function hasEnded(): boolean {
    return ended;
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasExited(child)) return;
  const exited = once(child, "exit");
  // SIGINT ends all sessions. SIGQUIT does not wait for the disk, and the next start recovers.
  child.kill("SIGINT");
  const late = setTimeout(() => child.kill("SIGQUIT"), 10_000);
  await exited;
  clearTimeout(late);
}

const hasExited = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

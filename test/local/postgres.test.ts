import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listen } from "../../conformance/faults/listening.ts";
import { makeCertificate } from "../../local/certificate.ts";
import { type Postgres, type PostgresOptions, startPostgres } from "../../local/postgres.ts";
import { identify } from "../../local/start/environment/data-folder.ts";

let directory: string;
let running: Postgres[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keyturn-local-"));
});
afterEach(async () => {
  // Closes all servers first, because servers of one test use the same folder one after another.
  for (const server of running) await server.close();
  // For root, the cluster may be outside the directory.
  for (const { logFile } of running)
    await rm(join(logFile, ".."), { recursive: true, force: true });
  running = [];
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<PostgresOptions> = {}): Promise<Postgres> {
  const server = await startPostgres({ directory: join(directory, "cluster"), ...options });
  running.push(server);
  return server;
}

async function ask(server: Postgres, text: string): Promise<unknown[]> {
  const { host, port, adminUser: user, adminPassword: password } = server;
  const client = new Client({ host, port, user, password, database: "postgres", ssl: false });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe("the local PostgreSQL", () => {
  it("keeps its data, and its admin's password, when it is started again", async () => {
    const first = await start({ adminPassword: "chosen-for-this-test" });
    await ask(first, "CREATE TABLE kept (word text)");
    await first.close();
    const second = await start();
    expect(second.adminPassword).toBe("chosen-for-this-test");
    expect(await ask(second, "SELECT * FROM kept")).toEqual([]);
  });

  it("repairs itself after it was killed", async () => {
    const first = await start();
    await ask(first, "CREATE TABLE kept (word text)");
    await ask(first, "INSERT INTO kept VALUES ('committed')");
    process.kill(first.pid, "SIGKILL");
    const second = await start();
    expect(await ask(second, "SELECT * FROM kept")).toEqual([{ word: "committed" }]);
  });

  it("is closed only when its last process has ended, also after a kill", async () => {
    const server = await start({ throwaway: true });
    const rows = await ask(
      server,
      "SELECT pid FROM pg_stat_activity WHERE backend_type <> 'client backend'",
    );
    const processes = rows.map((row) => (row as { pid: number }).pid);
    expect(processes.length).toBeGreaterThan(3);
    process.kill(server.pid, "SIGKILL");
    await server.close();
    expect(processes.filter((pid) => identify(pid) !== undefined)).toEqual([]);
    await expect(stat(join(server.logFile, ".."))).rejects.toThrow("ENOENT");
  });

  it("replaces a server that was left behind on the same directory", async () => {
    const orphan = await start();
    await ask(orphan, "CREATE TABLE kept (word text)");
    const second = await start();
    expect(await ask(second, "SELECT * FROM kept")).toEqual([]);
    await expect(ask(orphan, "SELECT 1")).rejects.toThrow("ECONNREFUSED");
  });

  it("starts although its lock names a process that is another program by now", async () => {
    const first = await start();
    const [row] = (await ask(first, "SHOW data_directory")) as { data_directory: string }[];
    await first.close();
    await writeFile(join(row?.data_directory ?? "", "postmaster.pid"), `${process.ppid}\n`);
    expect(await ask(await start(), "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  });

  it("accepts only SCRAM-SHA-256, and leaves no unneeded password file", async () => {
    const server = await start();
    expect(await ask(server, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")).toEqual([
      { auth_method: "scram-sha-256" },
    ]);
    const folder = join(server.logFile, "..");
    expect((await readdir(folder)).toSorted()).toEqual(["admin-password", "data", "postgres.log"]);
    expect((await stat(join(folder, "admin-password"))).mode & 0o077).toBe(0);
  });

  it("says what is wrong when it cannot start", async () => {
    const wrong = start({ throwaway: true, settings: { work_mem: "much" } });
    await expect(wrong).rejects.toThrow('invalid value for parameter "work_mem"');
  });

  it("leaves nothing behind when it was for throwing away", async () => {
    const server = await start({ throwaway: true });
    await server.close();
    await expect(stat(join(server.logFile, ".."))).rejects.toThrow("ENOENT");
  });
});

describe("the local certificate", () => {
  it.each(["127.0.0.1", "localhost"])(
    "is verified for %s by a client that trusts its authority",
    async (host) => {
      const { ca, cert, key } = await makeCertificate();
      const server = await listen(createServer({ cert, key }));
      const socket = connect({ host, port: server.port, ca });
      await once(socket, "secureConnect");
      expect(socket.authorized).toBe(true);
      socket.destroy();
      await server.close();
    },
  );

  it("is the same one again from the same directory", async () => {
    const first = await makeCertificate(directory);
    expect(await makeCertificate(directory)).toEqual(first);
    expect((await makeCertificate()).cert).not.toBe(first.cert);
  });
});

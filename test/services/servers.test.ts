import { existsSync } from "node:fs";
import { MongoClient } from "mongodb";
import { describe, expect, onTestFinished, test } from "vitest";
import { startMariadb } from "../servers/mariadb.ts";
import { startMongodb, startReplicaSet } from "../servers/mongodb.ts";
import { startMysql } from "../servers/mysql.ts";
import { readGreeting, readTlsVersion } from "../servers/mysql-greeting.ts";
import { isRunning } from "../servers/process/is-running.ts";
import { startRedis } from "../servers/redis.ts";
import { readRedisVersion } from "../servers/redis-greeting.ts";
import type { StartedServer, TestServer } from "../servers/server.ts";
import { startValkey } from "../servers/valkey.ts";

/** For the first run on a machine, which downloads. */
const downloadTimeoutMs = 300_000;

interface Case {
  readonly name: string;
  readonly version: RegExp;
  readonly start: () => Promise<StartedServer>;
  /** Logs in or greets over TLS with plain means, and returns the version that the server names then. */
  readonly greet: (server: TestServer) => Promise<string>;
}

async function greetMysql({ host, port, ca }: TestServer): Promise<string> {
  expect(await readTlsVersion(host, port, ca)).toBe("TLSv1.3");
  return readGreeting(host, port);
}

async function logInToMongodb({ host, port, ca, admin }: TestServer): Promise<string> {
  const client = new MongoClient(`mongodb://${host}:${String(port)}/`, {
    ...{ tls: true, ca, directConnection: true },
    auth: { username: admin.account, password: admin.secret.reveal() },
  });
  try {
    return String((await client.db("admin").command({ buildInfo: 1 }))["version"]);
  } finally {
    await client.close();
  }
}

const cases: readonly Case[] = [
  { name: "MongoDB", version: /^6\.0\./, start: startMongodb, greet: logInToMongodb },
  { name: "MySQL", version: /^9\./, start: startMysql, greet: greetMysql },
  { name: "MariaDB", version: /^\d+\.\d+\.\d+-MariaDB/, start: startMariadb, greet: greetMysql },
  {
    name: "newer MariaDB",
    version: /^(1[1-9]|[2-9]\d)\.\d+\.\d+-MariaDB/,
    start: () => startMariadb({ release: "newer" }),
    greet: greetMysql,
  },
  { name: "Redis", version: /^\d+\.\d+\.\d+$/, start: startRedis, greet: readRedisVersion },
  {
    name: "newer Redis",
    version: /^([89]|\d\d)\.\d+\.\d+$/,
    start: () => startRedis({ release: "newer" }),
    greet: readRedisVersion,
  },
  { name: "Valkey", version: /^\d+\.\d+\.\d+$/, start: startValkey, greet: readRedisVersion },
];

describe.each(cases)("$name", ({ version, start, greet }) => {
  test(
    "A started server answers, survives a crash, and leaves no process and no folder when it stops",
    async () => {
      const server = await start();
      onTestFinished(() => server.stop());
      expect(server.version).toMatch(version);
      expect(await greet(server)).toBe(server.version);

      const first = server.pid;
      await server.crash();
      expect(isRunning(first)).toBe(false);
      await server.restart();
      expect(await greet(server)).toBe(server.version);

      const second = server.pid;
      expect(isRunning(second)).toBe(true);
      await server.stop();
      expect(isRunning(second)).toBe(false);
      expect(existsSync(server.folder)).toBe(false);
      await server.stop();
    },
    downloadTimeoutMs,
  );
});

test(
  "A replica set elects another primary when the primary crashes",
  async () => {
    const set = await startReplicaSet();
    onTestFinished(() => set.stop());
    const before = await set.primary();
    await before.crash();
    const after = await set.primary();
    expect(after.port).not.toBe(before.port);
    expect(await logInToMongodb(after)).toBe(set.version);
    await set.stop();
    for (const { pid, folder } of set.members) {
      expect(isRunning(pid)).toBe(false);
      expect(existsSync(folder)).toBe(false);
    }
  },
  downloadTimeoutMs,
);

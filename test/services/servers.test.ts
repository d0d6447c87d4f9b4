import { existsSync } from "node:fs";
import { MongoClient } from "mongodb";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { startMariadb, useMariadb } from "../servers/mariadb.ts";
import { startMongodb, startReplicaSet, useMongodb } from "../servers/mongodb.ts";
import { startMysql, useMysql } from "../servers/mysql.ts";
import { readGreeting, readTlsVersion } from "../servers/mysql-greeting.ts";
import { startPostgresql, usePostgresql } from "../servers/postgresql.ts";
import { isRunning } from "../servers/process/is-running.ts";
import { startRedis, useRedis } from "../servers/redis.ts";
import { readRedisVersion } from "../servers/redis-greeting.ts";
import { usesVariable } from "../servers/report/uses.ts";
import type { OwnSystem, StartedServer, TestServer } from "../servers/server.ts";
import { startValkey, useValkey } from "../servers/valkey.ts";
import { isDocumented } from "../servers/versions.ts";

/** For the first run on a machine, which downloads. */
const downloadTimeoutMs = 300_000;

interface Case {
  readonly name: string;
  readonly system: OwnSystem;
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
  { name: "MongoDB", system: "mongodb", start: startMongodb, greet: logInToMongodb },
  { name: "MySQL", system: "mysql", start: startMysql, greet: greetMysql },
  { name: "MariaDB", system: "mariadb", start: startMariadb, greet: greetMysql },
  {
    name: "newer MariaDB",
    system: "mariadb",
    start: () => startMariadb({ release: "newer" }),
    greet: greetMysql,
  },
  { name: "Redis", system: "redis", start: startRedis, greet: readRedisVersion },
  {
    name: "newer Redis",
    system: "redis",
    start: () => startRedis({ release: "newer" }),
    greet: readRedisVersion,
  },
  { name: "Valkey", system: "valkey", start: startValkey, greet: readRedisVersion },
];

test.each([
  ["10.11.19-MariaDB-0+deb12u1", true],
  ["11.8.9-MariaDB-4 from Debian", true],
  ["12.1.2-MariaDB", true],
  ["11.80.1-MariaDB", true],
  ["11.4.2-MariaDB", false],
  ["10.6.1-MariaDB", false],
])("MariaDB %s is documented, or newer: %s", (version, is) => {
  expect(isDocumented("mariadb", version)).toBe(is);
});

describe.each(cases)("$name", ({ system, start, greet }) => {
  test(
    "A started server answers, survives a crash, and leaves no process and no folder when it stops",
    async () => {
      const server = await start();
      onTestFinished(() => server.stop());
      expect(server.version).toSatisfy((version: string) => isDocumented(system, version));
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

test.each([
  ["KEYTURN_TEST_MONGODB", startMongodb, useMongodb],
  ["KEYTURN_TEST_MYSQL", startMysql, useMysql],
  ["KEYTURN_TEST_MARIADB", startMariadb, useMariadb],
  ["KEYTURN_TEST_REDIS", startRedis, useRedis],
  ["KEYTURN_TEST_VALKEY", startValkey, useValkey],
  ["KEYTURN_TEST_POSTGRESQL", startPostgresql, usePostgresql],
])(
  "A suite uses the server in %s, and does not stop it",
  async (variable, start, use) => {
    // The table of this run must not call it a server of a person.
    vi.stubEnv(usesVariable, undefined);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const server = await start();
    onTestFinished(() => server.stop());
    const { account, secret } = server.admin;
    const place = `${server.host}:${String(server.port)}`;
    const url = `scheme://${account}:${secret.reveal()}@${place}/?ca=${server.caFile}`;
    vi.stubEnv(variable, url);
    const own = await use();
    const { admin, ca, caFile, port, version } = server;
    expect(own).toMatchObject({ admin, ca, caFile, host: "127.0.0.1", port, version });
    await own.stop();
    expect(await use()).toMatchObject({ version });
  },
  downloadTimeoutMs,
);

test("A wrong value of such a variable is reported without its password", async () => {
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  vi.stubEnv("KEYTURN_TEST_VALKEY", "valkey://admin:secret-word@127.0.0.1:1");
  const refused = useValkey();
  await expect(refused).rejects.toThrow("The server in KEYTURN_TEST_VALKEY cannot be used:");
  await expect(refused).rejects.not.toThrow("secret-word");
  vi.stubEnv("KEYTURN_TEST_VALKEY", "admin:secret-word@127.0.0.1");
  const malformed = useValkey();
  await expect(malformed).rejects.toThrow("KEYTURN_TEST_VALKEY must have the form");
  await expect(malformed).rejects.not.toThrow("secret-word");
});

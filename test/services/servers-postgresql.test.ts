import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeCertificate } from "../../local/certificate.ts";
import { type Postgres, startPostgres } from "../../local/postgres.ts";
import { type Credential, Secret } from "../../shared/core/secrets/secret.ts";
import { type PgbouncerOptions, startPgbouncer } from "../servers/pgbouncer.ts";
import { startStandby } from "../servers/postgresql-standby.ts";
import { isRunning } from "../servers/process/is-running.ts";
import { isDocumented } from "../servers/versions.ts";

/** For the first run on a machine, which downloads. */
const downloadTimeoutMs = 300_000;

let primary: Postgres;
let superuser: Credential;
let ca: string;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "keyturn-servers-"));
  const certificate = await makeCertificate();
  ({ ca } = certificate);
  primary = await startPostgres({
    directory: join(directory, "cluster"),
    tls: certificate,
    throwaway: true,
  });
  superuser = { account: primary.adminUser, secret: new Secret(primary.adminPassword) };
  await run(primary.port, ca, superuser, "CREATE ROLE app LOGIN PASSWORD 'first'");
});
afterAll(async () => {
  await primary.close();
  await rm(directory, { recursive: true, force: true });
});

async function run(
  port: number,
  authority: string,
  { account: user, secret }: Credential,
  statement: string,
): Promise<unknown> {
  const client = new Client({
    ...{ host: "127.0.0.1", port, user, password: secret.reveal(), database: "postgres" },
    ssl: { ca: authority },
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(statement);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

const app = (password: string) => ({ account: "app", secret: new Secret(password) });

test("A standby streams from its primary, refuses changes, and leaves nothing when it stops", async () => {
  const standby = await startStandby({ ...primary, ca });
  onTestFinished(() => standby.stop());
  expect(isDocumented("postgresql", standby.version)).toBe(true);
  await run(primary.port, ca, superuser, "ALTER ROLE app PASSWORD 'streamed'");
  await standby.catchUp();
  const logIn = run(standby.port, standby.ca, app("streamed"), "SELECT pg_is_in_recovery()");
  expect(await logIn).toBe(true);
  await expect(standby.sql("ALTER ROLE app PASSWORD 'other'")).rejects.toThrow("read-only");
  await standby.stop();
  expect(isRunning(standby.pid)).toBe(false);
  expect(existsSync(dirname(standby.logFile))).toBe(false);
});

describe.each([
  ["PgBouncer", {}],
  ["newer PgBouncer", { release: "newer" }],
] as const)("%s", (_, release) => {
  const start = async (options: Partial<PgbouncerOptions>) => {
    const { host, port } = primary;
    const pooler = await startPgbouncer({ postgresql: { host, port, ca }, ...release, ...options });
    onTestFinished(() => pooler.stop());
    return pooler;
  };
  const name = "SELECT current_user::text";

  test(
    "With a list of users it knows their passwords only, and leaves nothing when it stops",
    async () => {
      await run(primary.port, ca, superuser, "ALTER ROLE app PASSWORD 'first'");
      const pooler = await start({ users: [app("first")] });
      expect(pooler.version).toMatch(/^1\.\d+\.\d+/);
      expect(await run(pooler.port, pooler.ca, app("first"), name)).toBe("app");

      await run(primary.port, ca, superuser, "ALTER ROLE app PASSWORD 'second'");
      await expect(run(pooler.port, pooler.ca, app("second"), name)).rejects.toThrow();
      await pooler.setUsers([app("second")]);
      expect(await run(pooler.port, pooler.ca, app("second"), name)).toBe("app");

      await pooler.restart();
      expect(await run(pooler.port, pooler.ca, app("second"), name)).toBe("app");
      await pooler.stop();
      expect(isRunning(pooler.pid)).toBe(false);
      expect(existsSync(pooler.folder)).toBe(false);
    },
    downloadTimeoutMs,
  );

  test(
    "With a query it follows a change in PostgreSQL",
    async () => {
      await run(primary.port, ca, superuser, "ALTER ROLE app PASSWORD 'first'");
      const pooler = await start({ lookUpAs: superuser });
      expect(await run(pooler.port, pooler.ca, app("first"), name)).toBe("app");
      await run(primary.port, ca, superuser, "ALTER ROLE app PASSWORD 'second'");
      expect(await run(pooler.port, pooler.ca, app("second"), name)).toBe("app");
    },
    downloadTimeoutMs,
  );
});

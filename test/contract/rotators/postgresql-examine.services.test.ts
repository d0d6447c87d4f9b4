import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client, escapeIdentifier } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Postgres, startPostgres } from "../../../local/postgres.ts";
import {
  AccountBlockedError,
  ChangeRefusedError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import type { Examination, Using } from "../../../shared/rotators/rotator.ts";
import { newSecret, postgresqlBench, self, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();
const healthy: Examination = { obstacles: [], right: { is: "proven" } };

const quoted = ({ account }: Credential) => escapeIdentifier(account);

/** Runs the statements that a sentence recommends. */
async function runAsTold(sentence: string | undefined): Promise<void> {
  const statements = /[Rr]un: (?<statements>.*)\.$/.exec(sentence ?? "")?.groups?.["statements"];
  if (statements === undefined) throw new Error(`nothing to run in: ${String(sentence)}`);
  await bench.target.sql(statements);
}

describe("an obstacle to the log-in of a PostgreSQL account", () => {
  it.each([
    ["is not permitted to log in", "ALTER ROLE %I NOLOGIN"],
    ["expired at 2001-01-01", "ALTER ROLE %I VALID UNTIL '2001-01-01'"],
    ["0 of the 0 connections", "ALTER ROLE %I CONNECTION LIMIT 0"],
  ])("%s: is named, and the printed statement ends it", async (sentence, change) => {
    const current = await bench.newAccount();
    await bench.target.sql(change.replace("%I", quoted(current)));
    const { obstacles, right } = await bench.examine(current.account);
    expect(right).toEqual({ is: "proven" });
    expect(obstacles).toEqual([expect.stringContaining(sentence)]);
    expect(obstacles[0]).toContain(`\`${current.account}\``);
    await runAsTold(obstacles[0]);
    expect(await bench.examine(current.account)).toEqual(healthy);
  });

  it("a limit is an obstacle when others have used it up", async () => {
    const current = await bench.newAccount();
    await bench.target.sql(`ALTER ROLE ${current.account} CONNECTION LIMIT 1`);
    expect(await bench.examine(current.account)).toEqual(healthy);
    const leave = await bench.target.stay(current.account, current.secret.reveal());
    const { obstacles } = await bench.examine(current.account);
    expect(obstacles).toEqual([expect.stringContaining("1 of the 1 connections")]);
    await leave();
  });

  it("limits, rights and closed databases are named together", async () => {
    const current = await bench.newAccount();
    await bench.target.sql('CREATE DATABASE "Small One" CONNECTION LIMIT 1');
    await bench.target.sql('REVOKE CONNECT ON DATABASE "Small One" FROM PUBLIC');
    await bench.target.sql('GRANT CONNECT ON DATABASE "Small One" TO rotation_admin');
    const options = bench.optionsWith({ database: "Small One" });
    const { host, port, admin } = bench.target;
    const [user, password] = [admin.account, admin.secret.reveal()];
    const ssl = { rejectUnauthorized: false };
    await bench.target.sql("ALTER ROLE rotation_admin SUPERUSER");
    const other = new Client({ host, port, user, password, database: "Small One", ssl });
    await other.connect();
    const using = bench.admin();
    const { obstacles } = await bench.examine(current.account, using, { options });
    expect(obstacles).toEqual([
      expect.stringContaining(`GRANT CONNECT ON DATABASE "Small One" TO ${current.account}.`),
      expect.stringContaining('ALTER DATABASE "Small One" CONNECTION LIMIT -1.'),
    ]);
    for (const obstacle of obstacles) await runAsTold(obstacle);
    await other.end();
    await bench.target.sql("ALTER ROLE rotation_admin NOSUPERUSER");
    expect(await bench.examine(current.account, using, { options })).toEqual(healthy);
  });

  it("a server without a free connection for ordinary accounts is named", async () => {
    const { target } = bench;
    const current = await bench.newAccount();
    await target.sql("ALTER ROLE rotation_admin SUPERUSER");
    const [row] = await target.sql(
      "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS free",
    );
    const limit = Number(row?.["free"]);
    // One more is open already.
    const others = await Promise.all(Array.from({ length: limit - 1 }, () => target.connect()));
    const { obstacles } = await bench.examine(current.account);
    expect(obstacles).toEqual([
      expect.stringContaining(`has ${limit} of the ${limit} connections`),
    ]);
    expect(obstacles[0]).toContain("raise max_connections");
    await Promise.all(others.map((other) => other.end()));
    await expect.poll(() => target.openConnections()).toBe(0);
    expect(await bench.examine(current.account)).toEqual(healthy);
    await target.sql("ALTER ROLE rotation_admin NOSUPERUSER");
  });

  it("does not apply its limits to a superuser", async () => {
    const current = await bench.newAccount();
    await bench.target.sql("ALTER ROLE rotation_admin SUPERUSER");
    await bench.target.sql(`ALTER ROLE ${current.account} SUPERUSER CONNECTION LIMIT 0`);
    expect(await bench.examine(current.account)).toEqual(healthy);
    expect(await bench.verify(current)).toBe("accepted");
    await bench.target.sql("ALTER ROLE rotation_admin NOSUPERUSER");
  });

  it("an address that pg_hba.conf does not list is named", async () => {
    const current = await bench.newAccount();
    const undo = await bench.target.rule(`host all ${current.account} 127.0.0.1/32 reject`, () =>
      bench.verify(current).then(
        () => false,
        (error: unknown) => error instanceof AccountBlockedError,
      ),
    );
    const { obstacles } = await bench.examine(current.account);
    expect(obstacles).toEqual([expect.stringContaining("pg_hba.conf")]);
    expect(obstacles[0]).toContain(current.account);
    // The account has just logged in, so it is not examined again.
    expect(await bench.examine(current.account, bench.admin(), { isProven: true })).toEqual(
      healthy,
    );
    await undo();
    expect(await bench.examine(current.account)).toEqual(healthy);
  });

  it("is found without a wrong guess", async () => {
    const current = await bench.newAccount();
    const before = await bench.target.logIns();
    await bench.examine(current.account);
    expect((await bench.target.logIns()) - before).toBe(1);
    const log = await readFile(bench.target.logFile, "utf8");
    expect(log).not.toContain(`authentication failed for user "${current.account}"`);
    expect(log).not.toContain("expected password response");
  });
});

describe("the right to change a PostgreSQL account", () => {
  async function newAdmin(attributes: string): Promise<Using & { as: "admin" }> {
    const credential = { account: `Admin "${attributes}"`, secret: newSecret() };
    await bench.target.account(credential.account, credential.secret.reveal());
    if (attributes !== "") await bench.target.sql(`ALTER ROLE ${quoted(credential)} ${attributes}`);
    return { as: "admin", credential };
  }

  it.each([
    ["", "lacks CREATEROLE and ADMIN OPTION on it"],
    ["CREATEROLE", "lacks ADMIN OPTION on it"],
    ["CREATEDB", "lacks CREATEROLE and ADMIN OPTION on it"],
  ])(
    "is missing to an admin with the attributes %j, and the printed statement grants it",
    async (attributes, lack) => {
      const admin = await newAdmin(attributes);
      const current = await bench.newAccount();
      const next = withNewSecret(current);
      const { right } = await bench.examine(current.account, admin);
      if (right.is !== "missing") throw new Error(`the right is ${right.is}`);
      expect(right.why).toContain(`Account \`${current.account}\` cannot be changed`);
      expect(right.why).toContain(`\`${admin.credential.account}\` ${lack}`);

      const refused = bench.apply(next, admin);
      await expect(refused).rejects.toBeInstanceOf(ChangeRefusedError);
      await expect(refused).rejects.toThrow("SQLSTATE 42501");
      await expect(refused).rejects.toThrow(right.why);
      expect(await bench.works(current)).toBe(true);

      await runAsTold(right.why);
      expect(await bench.examine(current.account, admin)).toEqual(healthy);
      await bench.apply(next, admin);
      expect(await bench.works(next)).toBe(true);
    },
  );

  it("belongs only to superusers when the account is a superuser", async () => {
    const current = await bench.newAccount();
    await bench.target.sql(`ALTER ROLE ${current.account} SUPERUSER`);
    const { right } = await bench.examine(current.account);
    expect(right.is === "missing" ? right.why : right.is).toContain("is a superuser");
    await expect(bench.apply(withNewSecret(current), bench.admin())).rejects.toThrow(
      "is a superuser",
    );
    expect(await bench.examine(current.account, self(current))).toEqual(healthy);
  });

  it("is likely when a managed service may have changed the rules", async () => {
    await bench.target.sql("CREATE ROLE azure_pg_admin");
    const admin = await newAdmin("CREATEROLE NOINHERIT");
    await bench.target.sql(`GRANT azure_pg_admin TO ${quoted(admin.credential)}`);
    const current = await bench.newAccount();
    const { right } = await bench.examine(current.account, admin);
    expect(right).toEqual({ is: "likely" });
  });
});

describe("an examination by an authority that may not read the catalog", () => {
  const hidden = ["pg_stat_activity", "pg_settings", "pg_database", "pg_auth_members"];
  const change = (verb: "REVOKE" | "GRANT", to: string) =>
    bench.target.sql(
      hidden.map((view) => `${verb} SELECT ON pg_catalog.${view} ${to} PUBLIC`).join(";"),
    );
  beforeAll(() => change("REVOKE", "FROM"));
  afterAll(() => change("GRANT", "TO"));

  it.each(["self", "admin"] as const)(
    "says what was not compared, and %s makes the change",
    async (as) => {
      const [current, twin] = [await bench.newAccount(), await bench.newAccount()];
      const using = as === "self" ? self(current) : bench.admin();
      const call = { options: bench.optionsWith(), account: current.account, twin: twin.account };
      const signal = AbortSignal.timeout(20_000);
      expect(await postgresql.examine?.({ ...call, using, isProven: true }, signal)).toEqual({
        obstacles: [],
        right: { is: "likely" },
        warnings: [expect.stringMatching(/^The settings and grants of .* were not compared/)],
      });
      const next = withNewSecret(current);
      await bench.apply(next, using);
      expect(await bench.works(next)).toBe(true);
    },
  );

  it("leaves a session that the change can use", async () => {
    const current = await bench.newAccount();
    const call = { options: bench.optionsWith(), using: self(current), mayStay: true };
    const signal = AbortSignal.timeout(20_000);
    await postgresql.examine?.({ ...call, account: current.account, isProven: true }, signal);
    const next = withNewSecret(current);
    await postgresql.apply({ ...call, next, isLast: true }, signal);
    expect(await bench.works(next)).toBe(true);
  });
});

describe("a PostgreSQL standby", () => {
  let server: Postgres;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "keyturn-standby-"));
    const settings = { unix_socket_directories: "" };
    const primary = await startPostgres({ directory, settings });
    await writeFile(join(dirname(primary.logFile), "data", "standby.signal"), "");
    await primary.close();
    server = await startPostgres({ directory, settings });
  });
  afterAll(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("cannot change a password", async () => {
    const { host, port, adminUser: account, adminPassword } = server;
    const options = postgresql.options.parse({ host, port, tls: { mode: "disable" } });
    const credential = { account, secret: new Secret(adminPassword) };
    const using: Using = { as: "self", credential };
    const call = { options, account, using, isProven: true };
    const examined = postgresql.examine?.(call, AbortSignal.timeout(20_000));
    await expect(examined).rejects.toBeInstanceOf(TargetUnavailableError);
    await expect(examined).rejects.toThrow("standby");
  });
});

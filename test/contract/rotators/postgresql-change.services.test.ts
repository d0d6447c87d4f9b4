import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { escapeLiteral } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CutProxy, cutProxy } from "../../../conformance/faults/cut-proxy.ts";
import {
  ChangeRefusedError,
  ConfigError,
  OutcomeUnknownError,
  TargetUnavailableError,
} from "../../../shared/core/errors.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import {
  computeScramVerifier,
  isTakenAsItStands,
} from "../../../shared/rotators/common/connection/scram.ts";
import { ontoDisk } from "../../../shared/rotators/postgresql/postgresql-change.ts";
import { newSecret, postgresqlBench, self, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();

describe("the password that the PostgreSQL server receives", () => {
  it("is a verifier and never the secret, even when it logs all it can", async () => {
    const current = await bench.newAccount();
    const [bySelf, byAdmin] = [withNewSecret(current), withNewSecret(current)];
    await bench.apply(bySelf, self(current));
    await bench.apply(byAdmin, bench.admin());
    const missing = { account: "nobody_here", secret: newSecret() };
    await expect(bench.apply(missing, bench.admin())).rejects.toBeInstanceOf(ChangeRefusedError);

    expect(await bench.storedFor(current.account)).toMatch(/^SCRAM-SHA-256\$4096:/);
    const log = await readFile(bench.target.logFile, "utf8");
    expect(log).toContain(`ALTER ROLE ${current.account} PASSWORD 'SCRAM-SHA-256$4096:`);
    expect(log).toContain(`role "nobody_here" does not exist`);
    for (const { secret } of [bySelf, byAdmin, missing]) expect(log).not.toContain(secret.reveal());
  });

  it("has as many iterations as the server is set to", async () => {
    const current = await bench.newAccount();
    await bench.target.sql(`ALTER ROLE ${current.account} SET scram_iterations = 10000`);
    const next = withNewSecret(current);
    await bench.apply(next, self(current));
    expect(await bench.storedFor(current.account)).toMatch(/^SCRAM-SHA-256\$10000:/);
    expect(await bench.works(next)).toBe(true);
  });

  it("is what the server itself would have made of the secret", async () => {
    const { account } = await bench.newAccount();
    await bench.target.sql("SET scram_iterations = 1");
    const password = fc
      .oneof(fc.string({ unit: "grapheme-ascii" }), fc.string({ unit: "binary" }))
      .filter((text) => text !== "" && isTakenAsItStands(text));
    await fc.assert(
      fc.asyncProperty(password, async (text) => {
        await bench.target.sql(`ALTER ROLE ${account} PASSWORD ${escapeLiteral(text)}`);
        const stored = await bench.storedFor(account);
        const salt = Buffer.from(stored.split(/[:$]/)[2] ?? "", "base64");
        expect(await computeScramVerifier(text, 1, salt)).toBe(stored);
      }),
      { numRuns: 300 },
    );
    await bench.target.sql("RESET scram_iterations");
  });

  it("is refused when clients would encode the secret differently", async () => {
    const current = await bench.newAccount();
    const next = { ...current, secret: new Secret("ﬁrst-😀") };
    await expect(bench.apply(next, self(current))).rejects.toBeInstanceOf(ChangeRefusedError);
    expect(await bench.works(current)).toBe(true);
  });

  it("is refused when the server would truncate the name of the account and change another one", async () => {
    const long = "x".repeat(63);
    await bench.target.account(long, newSecret().reveal());
    const before = await bench.storedFor(long);
    const next = { account: `${long}y`, secret: newSecret() };
    await expect(bench.apply(next, bench.admin())).rejects.toBeInstanceOf(ConfigError);
    expect(await bench.storedFor(long)).toBe(before);
  });

  it("is not affected by functions of the same names in the admin's search path", async () => {
    const current = await bench.newAccount();
    const next = withNewSecret(current);
    await bench.target.sql("CREATE SCHEMA trap");
    await bench.target.sql("GRANT USAGE ON SCHEMA trap TO PUBLIC");
    await bench.target.sql(
      `CREATE FUNCTION trap.format(text, text, text) RETURNS text LANGUAGE sql AS
       $$ SELECT 'ALTER ROLE rotation_admin PASSWORD NULL' $$`,
    );
    await bench.target.sql("ALTER ROLE rotation_admin SET search_path = trap, pg_catalog");
    await bench.apply(next, bench.admin());
    await bench.target.sql("ALTER ROLE rotation_admin RESET search_path");
    expect(await bench.works(next)).toBe(true);
    expect(await bench.works(bench.target.admin)).toBe(true);
  });
});

describe("a connection that is lost during a change", () => {
  let proxy: CutProxy;
  let giveUp: AbortController;

  beforeAll(async () => {
    proxy = await cutProxy(bench.target.port, () => {
      giveUp.abort();
    });
  });
  afterAll(async () => {
    await proxy.close();
  });

  const beforeCommit = "PASSWORD 'SCRAM";

  it.each([
    [beforeCommit, "lost", TargetUnavailableError, "old"],
    [beforeCommit, "carried-out", TargetUnavailableError, "old"],
    [beforeCommit, "unanswered", TargetUnavailableError, "old"],
    ["COMMIT\0", "lost", OutcomeUnknownError, "old"],
    ["COMMIT\0", "carried-out", OutcomeUnknownError, "new"],
    ["COMMIT\0", "unanswered", OutcomeUnknownError, "new"],
  ] as const)("at %s, %s, gives %o and leaves the %s secret", async (text, kind, error, valid) => {
    giveUp = new AbortController();
    const current = await bench.newAccount();
    const next = withNewSecret(current);
    proxy.cutAt(text, kind);
    const options = bench.optionsWith({ port: proxy.port, tls: { mode: "disable" } });
    await expect(bench.apply(next, bench.admin(), options, giveUp.signal)).rejects.toBeInstanceOf(
      error,
    );
    await expect.poll(() => bench.target.openConnections()).toBe(0);
    expect(await bench.works(valid === "old" ? current : next)).toBe(true);
    expect(await bench.works(valid === "old" ? next : current)).toBe(false);
  });

  it("never takes effect later, when the change had to wait for another one", async () => {
    const current = await bench.newAccount();
    const other = await bench.target.connect();
    await other.query("BEGIN");
    await other.query(`ALTER ROLE ${current.account} CONNECTION LIMIT 5`);
    const controller = new AbortController();
    const failed = expect(
      bench.apply(withNewSecret(current), bench.admin(), bench.optionsWith(), controller.signal),
    ).rejects.toBeInstanceOf(TargetUnavailableError);
    const waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    await expect.poll(async () => (await bench.target.sql(waiting)).length).toBe(1);
    controller.abort();
    await failed;

    await other.query("ROLLBACK");
    await other.end();
    await expect.poll(() => bench.target.openConnections()).toBe(0);
    expect(await bench.works(current)).toBe(true);
  });
});

describe("a change that PostgreSQL has confirmed", () => {
  /** Commits among what has been flushed to disk since then. The server flushes the rest when it finds time. */
  async function commitsOnDiskSince(position: unknown): Promise<number> {
    const [row] = await bench.target.sql(
      `SELECT count(*)::int AS commits
       FROM pg_get_wal_records_info($1::pg_lsn, pg_current_wal_flush_lsn())
       WHERE resource_manager = 'Transaction' AND record_type = 'COMMIT'`,
      [position],
    );
    return Number(row?.["commits"]);
  }

  it.each(["off", "remote_apply"])(
    "is on disk though the admin's synchronous_commit is %s",
    async (level) => {
      const { target } = bench;
      await target.sql("CREATE EXTENSION IF NOT EXISTS pg_walinspect");
      await target.sql("ALTER SYSTEM SET wal_writer_delay = '10s'");
      await target.sql("SELECT pg_reload_conf()");
      await target.sql(`ALTER ROLE rotation_admin SET synchronous_commit = ${level}`);
      const current = await bench.newAccount();
      const [row] = await target.sql("SELECT pg_current_wal_insert_lsn()::text AS position");
      await bench.apply(withNewSecret(current), bench.admin());
      expect(await commitsOnDiskSince(row?.["position"])).toBeGreaterThan(0);
      await target.sql("ALTER ROLE rotation_admin RESET synchronous_commit");
    },
  );

  it.each([
    ["off", "on"],
    ["local", "on"],
    ["remote_write", "on"],
    ["on", "on"],
    ["remote_apply", "remote_apply"],
  ])("waits, where the setting is %s, as with %s", async (set, used) => {
    const session = await bench.target.connect();
    await session.query(`SET synchronous_commit = ${set}`);
    await session.query("BEGIN");
    await session.query(ontoDisk);
    const { rows } = await session.query<Record<string, string>>("SHOW synchronous_commit");
    expect(rows).toEqual([{ synchronous_commit: used }]);
    await session.end();
  });
});

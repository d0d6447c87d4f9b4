import { Client } from "pg";
import { describe, expect, it } from "vitest";
import { ChangeRefusedError } from "../../../shared/core/errors.ts";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { postgresqlBench } from "./postgresql-bench.ts";

const bench = postgresqlBench();

/** A plain client that stays logged in. */
async function stay({ account, secret }: Credential, database = "postgres"): Promise<Client> {
  const { host, port } = bench.target;
  const client = new Client({
    host,
    port,
    database,
    user: account,
    password: secret.reveal(),
    ssl: { rejectUnauthorized: false },
  });
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

describe("a session of a PostgreSQL account", () => {
  it("is seen by an account without the right to see statistics", async () => {
    const [current, stranger] = [await bench.newAccount(), await bench.newAccount()];
    const client = await stay(current);
    const watching = await stay(stranger);
    const { rows } = await watching.query<{ backend_type: string | null }>(
      "SELECT backend_type FROM pg_stat_activity WHERE usename = $1",
      [current.account],
    );
    // This column is hidden from it.
    expect(rows).toEqual([{ backend_type: null }]);
    await watching.end();
    const using = { as: "admin", credential: stranger } as const;
    expect(await bench.hasSessions(current.account, using)).toBe(true);
    await client.end();
    await expect.poll(() => bench.hasSessions(current.account, using)).toBe(false);
  });

  it("is seen in any database", async () => {
    const current = await bench.newAccount();
    await bench.target.sql("CREATE DATABASE elsewhere");
    const client = await stay(current, "elsewhere");
    expect(await bench.hasSessions(current.account)).toBe(true);
    await client.end();
  });

  it("is seen although the server tracks no activities", async () => {
    const current = await bench.newAccount();
    await bench.target.sql("ALTER SYSTEM SET track_activities = off");
    await bench.target.sql("SELECT pg_reload_conf()");
    const client = await stay(current);
    const [row] = await bench.target.sql("SELECT state FROM pg_stat_activity WHERE usename = $1", [
      current.account,
    ]);
    expect(row).toEqual({ state: "disabled" });
    expect(await bench.hasSessions(current.account)).toBe(true);
    await client.end();
    await expect.poll(() => bench.hasSessions(current.account)).toBe(false);
    await bench.target.sql("ALTER SYSTEM RESET track_activities");
    await bench.target.sql("SELECT pg_reload_conf()");
  });

  it("is not reported as missing by a list without Keyturn's own connection", async () => {
    const current = await bench.newAccount();
    // A managed service may replace the view of the server like this.
    await bench.target.sql("ALTER VIEW pg_catalog.pg_stat_activity RENAME TO whole_activity");
    await bench.target.sql(
      "CREATE VIEW pg_catalog.pg_stat_activity AS SELECT * FROM pg_catalog.whole_activity WHERE false",
    );
    await bench.target.sql("GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC");
    const failed = bench.hasSessions(current.account);
    await expect(failed).rejects.toBeInstanceOf(ChangeRefusedError);
    await expect(failed).rejects.toThrow("Keyturn's own connection");
    await bench.target.sql("DROP VIEW pg_catalog.pg_stat_activity");
    await bench.target.sql("ALTER VIEW pg_catalog.whole_activity RENAME TO pg_stat_activity");
  });

  it("belongs to the account that logged in, whatever its current role", async () => {
    const [current, role] = [await bench.newAccount(), await bench.newAccount()];
    await bench.target.sql(`GRANT ${role.account} TO ${current.account}`);
    const client = await stay(current);
    await client.query(`SET ROLE ${role.account}`);
    expect(await bench.hasSessions(current.account)).toBe(true);
    expect(await bench.hasSessions(role.account)).toBe(false);
    await client.end();
  });
});

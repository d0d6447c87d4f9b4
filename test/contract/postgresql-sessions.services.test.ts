import { Client } from "pg";
import { describe, expect, it } from "vitest";
import type { Credential } from "../../shared/core/secret.ts";
import { postgresqlBench } from "./postgresql-bench.ts";

const bench = postgresqlBench();

/** A plain client that is logged in, and stays. */
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
  it("is seen by an account that may see nobody's statistics", async () => {
    const [current, stranger] = [await bench.newAccount(), await bench.newAccount()];
    const client = await stay(current);
    const watching = await stay(stranger);
    const { rows } = await watching.query<{ backend_type: string | null }>(
      "SELECT backend_type FROM pg_stat_activity WHERE usename = $1",
      [current.account],
    );
    // So much is hidden from it.
    expect(rows).toEqual([{ backend_type: null }]);
    await watching.end();
    const using = { as: "admin", credential: stranger } as const;
    expect(await bench.hasSessions(current.account, using)).toBe(true);
    await client.end();
    await expect.poll(() => bench.hasSessions(current.account, using)).toBe(false);
  });

  it("is seen in whichever database it is", async () => {
    const current = await bench.newAccount();
    await bench.target.sql("CREATE DATABASE elsewhere");
    const client = await stay(current, "elsewhere");
    expect(await bench.hasSessions(current.account)).toBe(true);
    await client.end();
  });

  it("is that of who logged in, whatever role it has taken on since", async () => {
    const [current, role] = [await bench.newAccount(), await bench.newAccount()];
    await bench.target.sql(`GRANT ${role.account} TO ${current.account}`);
    const client = await stay(current);
    await client.query(`SET ROLE ${role.account}`);
    expect(await bench.hasSessions(current.account)).toBe(true);
    expect(await bench.hasSessions(role.account)).toBe(false);
    await client.end();
  });
});

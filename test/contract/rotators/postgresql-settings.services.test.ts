import { describe, expect, it } from "vitest";
import { ChangeRefusedError } from "../../../shared/core/errors.ts";
import { newSecret, postgresqlBench, self, withNewSecret } from "./postgresql-bench.ts";

const bench = postgresqlBench();

/** Settings that apply at a log-in, each of which could prevent a change or alter its meaning. */
const settings = [
  "default_transaction_read_only = on",
  "default_transaction_isolation = serializable",
  "default_transaction_deferrable = on",
  "search_path = trap",
  "statement_timeout = 300",
  "lock_timeout = 1",
  "idle_in_transaction_session_timeout = 1",
  "transaction_timeout = 5",
  "DateStyle = 'SQL, DMY'",
  "IntervalStyle = sql_standard",
  "TimeZone = 'Asia/Kathmandu'",
  "client_encoding = LATIN1",
  "client_min_messages = debug5",
  "standard_conforming_strings = off",
  "quote_all_identifiers = on",
  "bytea_output = escape",
  "array_nulls = off",
  "session_authorization = rotation_admin",
  "debug_parallel_query = on",
];

describe("a change of a PostgreSQL password", () => {
  it.each(settings)("works where ALTER ROLE has set %s", async (setting) => {
    const { target } = bench;
    const current = await bench.newAccount();
    const [bySelf, byAdmin] = [withNewSecret(current), withNewSecret(current)];
    await target.sql(`ALTER ROLE ${current.account} SET ${setting}`);
    await bench.apply(bySelf, self(current));
    expect(await bench.works(bySelf)).toBe(true);
    await target.sql(`ALTER ROLE rotation_admin SET ${setting}`);
    try {
      await bench.apply(byAdmin, bench.admin());
      expect(await bench.examine(current.account)).toEqual({
        obstacles: [],
        right: { is: "proven" },
      });
      expect(await bench.hasSessions(current.account)).toBe(false);
      await bench.retire(current.account, bench.admin());
    } finally {
      await target.sql("ALTER ROLE rotation_admin RESET ALL");
    }
    expect(await bench.works(bySelf)).toBe(false);
    expect(await bench.works(byAdmin)).toBe(false);
  });

  it("works where the database is read-only by default", async () => {
    const current = await bench.newAccount();
    await bench.target.sql("CREATE DATABASE frozen");
    await bench.target.sql("ALTER DATABASE frozen SET default_transaction_read_only = on");
    const options = bench.optionsWith({ database: "frozen" });
    const [bySelf, byAdmin] = [withNewSecret(current), withNewSecret(current)];
    await bench.apply(bySelf, self(current), options);
    expect(await bench.works(bySelf)).toBe(true);
    await bench.apply(byAdmin, bench.admin(), options);
    expect(await bench.works(byAdmin)).toBe(true);
  });

  it("works where the server is read-only by default, as when the storage of Azure is full", async () => {
    const current = await bench.newAccount();
    await bench.target.sql("ALTER SYSTEM SET default_transaction_read_only = on");
    await bench.target.sql("SELECT pg_reload_conf()");
    const next = withNewSecret(current);
    await bench.apply(next, bench.admin());
    await bench.target.sql("BEGIN READ WRITE");
    await bench.target.sql("COMMIT");
    await bench.target.sql("ALTER SYSTEM RESET default_transaction_read_only");
    await bench.target.sql("SELECT pg_reload_conf()");
    expect(await bench.works(next)).toBe(true);
  });

  it("is made as the account itself where its log-ins take another role", async () => {
    const current = await bench.newAccount();
    const { account } = current;
    await bench.target.sql(`CREATE ROLE owner_of_${account}`);
    await bench.target.sql(`GRANT owner_of_${account} TO ${account}`);
    await bench.target.sql(`ALTER ROLE ${account} SET role = owner_of_${account}`);
    const next = withNewSecret(current);
    await bench.apply(next, self(current));
    expect(await bench.works(next)).toBe(true);
  });

  it("is made with the admin's own rights, or with those of the role that its log-ins take", async () => {
    const sql = (text: string) => bench.target.sql(text);
    const current = await bench.newAccount();
    await sql("CREATE ROLE powerless");
    await sql("CREATE ROLE dba CREATEROLE");
    await sql(`GRANT ${current.account} TO dba WITH ADMIN OPTION`);
    await sql("GRANT powerless TO rotation_admin");
    await sql("ALTER ROLE rotation_admin SET role = powerless");
    const [first, second] = [withNewSecret(current), withNewSecret(current)];
    await bench.apply(first, bench.admin());
    expect(await bench.works(first)).toBe(true);
    await sql("ALTER ROLE rotation_admin RESET role");

    const admin = { account: "by_role", secret: newSecret() };
    await sql(`CREATE ROLE by_role LOGIN NOINHERIT PASSWORD '${admin.secret.reveal()}'`);
    const using = { as: "admin", credential: admin } as const;
    await expect(bench.apply(second, using)).rejects.toBeInstanceOf(ChangeRefusedError);
    await sql("GRANT dba TO by_role");
    await sql("ALTER ROLE by_role SET role = dba");
    expect((await bench.examine(current.account, using)).right).toEqual({ is: "proven" });
    await bench.apply(second, using);
    expect(await bench.works(second)).toBe(true);
  });
});

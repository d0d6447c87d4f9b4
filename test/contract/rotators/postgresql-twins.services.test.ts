import { describe, expect, it } from "vitest";
import type { Credential } from "../../../shared/core/secrets/secret.ts";
import { postgresql } from "../../../shared/rotators/postgresql/postgresql.ts";
import { postgresqlBench } from "./postgresql-bench.ts";

const bench = postgresqlBench();

async function warningsAbout(account: string, twin: string): Promise<readonly string[]> {
  const call = {
    options: bench.optionsWith(),
    account,
    twin,
    using: bench.admin(),
    isProven: true,
  };
  const examined = await postgresql.examine?.(call, AbortSignal.timeout(20_000));
  if (examined === undefined || examined === "rejected") throw new Error("not examined");
  return examined.warnings ?? [];
}

async function newPair(): Promise<readonly [Credential, Credential]> {
  return [await bench.newAccount(), await bench.newAccount()];
}

describe("the accounts of a PostgreSQL pair", () => {
  it("do not differ when they are members of the same role, and have the same settings", async () => {
    const [one, two] = await newPair();
    await bench.target.sql("CREATE ROLE app_rights");
    await bench.target.sql(`GRANT app_rights TO ${one.account}, ${two.account}`);
    for (const { account } of [one, two]) {
      await bench.target.sql(`ALTER ROLE ${account} SET work_mem = '8MB'`);
    }
    expect(await warningsAbout(one.account, two.account)).toEqual([]);
    // The superuser is a member of nothing; neither account is missing something that the other has by itself.
    await bench.target.sql(`GRANT ${one.account} TO ${two.account}`);
    expect(await warningsAbout(one.account, two.account)).toEqual([]);
  });

  it.each([
    [
      "GRANT pg_monitor TO %1",
      "only it has membership in pg_monitor",
      "it lacks membership in pg_monitor",
    ],
    [
      "ALTER ROLE %1 CONNECTION LIMIT 5",
      "other values of CONNECTION LIMIT",
      "other values of CONNECTION LIMIT",
    ],
    [
      "ALTER ROLE %1 VALID UNTIL '2999-01-01'",
      "other values of VALID UNTIL",
      "other values of VALID UNTIL",
    ],
    ["ALTER ROLE %1 CREATEDB", "other values of CREATEDB", "other values of CREATEDB"],
    [
      "ALTER ROLE %1 SET statement_timeout = 7",
      "only it has setting statement_timeout",
      "it lacks setting statement_timeout",
    ],
    [
      "GRANT SELECT ON public.shared_table TO %1",
      "only it has grants on table",
      "it lacks grants on table",
    ],
    [
      "GRANT SELECT (id) ON public.shared_table TO %1",
      "only it has grants on column",
      "it lacks grants on column",
    ],
    [
      "GRANT CREATE ON DATABASE postgres TO %1",
      "only it has grants on database",
      "it lacks grants on database",
    ],
    [
      "ALTER TABLE public.shared_table OWNER TO %1",
      "only it has ownership of table",
      "it lacks ownership of table",
    ],
  ])("differ after %s, whichever of them is next", async (statement, mine, others) => {
    const [one, two] = await newPair();
    await bench.target.sql("CREATE TABLE IF NOT EXISTS public.shared_table (id int)");
    await bench.target.sql("ALTER TABLE public.shared_table OWNER TO postgres");
    await bench.target.sql(statement.replace("%1", one.account));
    const [ofOne, ofTwo] = [
      await warningsAbout(one.account, two.account),
      await warningsAbout(two.account, one.account),
    ];
    expect(ofOne).toEqual([expect.stringContaining(mine)]);
    expect(ofTwo).toEqual([expect.stringContaining(others)]);
    expect(ofOne[0]).toContain(`\`${one.account}\` differs from \`${two.account}\``);
  });

  it("differ when both have a grant on the same table, and one has more", async () => {
    const [one, two] = await newPair();
    await bench.target.sql("CREATE TABLE public.more (id int)");
    await bench.target.sql(`GRANT SELECT ON public.more TO ${one.account}, ${two.account}`);
    expect(await warningsAbout(one.account, two.account)).toEqual([]);
    await bench.target.sql(`GRANT INSERT ON public.more TO ${two.account}`);
    const [warning] = await warningsAbout(one.account, two.account);
    expect(warning).toContain("other values of grants on table");
  });

  it("never show the value of a setting, which may be a secret", async () => {
    const [one, two] = await newPair();
    await bench.target.sql(`ALTER ROLE ${one.account} SET app.jwt_key = 'k3y-of-the-app'`);
    await bench.target.sql(`ALTER ROLE ${two.account} SET app.jwt_key = 'an0ther-key'`);
    const [warning] = await warningsAbout(one.account, two.account);
    expect(warning).toContain("other values of setting app.jwt_key");
    expect(warning).not.toMatch(/k3y|an0ther/);
  });

  it("are listed up to a number, and counted", async () => {
    const [one, two] = await newPair();
    await bench.target.sql(
      "DO $$ BEGIN FOR n IN 1..9 LOOP EXECUTE format('CREATE TABLE public.many_%s ()', n); END LOOP; END $$",
    );
    await bench.target.sql(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${two.account}`);
    const [warning] = await warningsAbout(one.account, two.account);
    expect(warning).toMatch(/it lacks grants on table .* and \d+ more/);
  });

  it.each(["pg_shdepend", "pg_roles"])(
    "are not compared when the admin may not read %s, which the warning says",
    async (table) => {
      const [one, two] = await newPair();
      await bench.target.sql(`REVOKE SELECT ON pg_catalog.${table} FROM PUBLIC`);
      try {
        expect(await warningsAbout(one.account, two.account)).toEqual([
          `The settings and grants of \`${one.account}\` and \`${two.account}\` were not compared, because the server refuses to show its ` +
            "catalog to the account that makes the change. Consumers may find other rights after a turn. Compare them yourself.",
        ]);
      } finally {
        await bench.target.sql(`GRANT SELECT ON pg_catalog.${table} TO PUBLIC`);
      }
    },
  );

  it("are not compared with one that does not exist", async () => {
    const [one] = await newPair();
    expect(await warningsAbout(one.account, "nobody_here")).toEqual([]);
  });
});

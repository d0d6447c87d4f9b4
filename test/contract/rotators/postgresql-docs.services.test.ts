import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Client } from "pg";
import { beforeAll, expect, test } from "vitest";
import { ChangeRefusedError } from "../../../shared/core/errors.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import type { Using } from "../../../shared/rotators/rotator.ts";
import { newSecret, postgresqlBench, withNewSecret } from "./postgresql-bench.ts";

const page = resolve(import.meta.dirname, "../../../docs/rotators/postgresql.md");
const bench = postgresqlBench();

/** What the page says to run, by the heading above it. */
let statements: ReadonlyMap<string, string>;
const ownerSecret = newSecret().reveal();

/** Runs statements as the owner of the database and the accounts, who is not a superuser. */
async function asOwner(text: string): Promise<void> {
  const { host, port } = bench.target;
  const ssl = { rejectUnauthorized: false };
  const client = new Client({
    host,
    port,
    user: "dba",
    password: ownerSecret,
    database: "postgres",
    ssl,
  });
  await client.connect();
  await client.query(text);
  await client.end();
}

const accounts = ["app_a", "app_b"].map((account): Credential => ({
  account,
  secret: newSecret(),
}));

beforeAll(async () => {
  const text = await readFile(page, "utf8");
  const sections = text
    .split(/^## /m)
    .map(
      (section) =>
        [
          section.slice(0, section.indexOf("\n")),
          /```sql\n(?<statements>.*?)```/s.exec(section)?.groups?.["statements"] ?? "",
        ] as const,
    );
  statements = new Map(sections);
  await bench.target.sql(`CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD '${ownerSecret}'`);
  await asOwner("CREATE DATABASE shop");
  for (const { account, secret } of accounts) {
    await asOwner(`CREATE ROLE ${account} LOGIN PASSWORD '${secret.reveal()}'`);
  }
});

async function changesBoth(using: Using, options: object): Promise<void> {
  const stranger = await bench.newAccount();
  const aimed = bench.optionsWith({ database: "shop", ...options });
  for (const account of accounts) {
    const next = withNewSecret(account);
    const examined = await bench.examine(account.account, using, { options: aimed });
    expect(examined).toEqual({ obstacles: [], right: { is: "proven" } });
    await bench.apply(next, using, aimed);
    expect(await bench.works(next)).toBe(true);
  }
  await expect(bench.apply(withNewSecret(stranger), using, aimed)).rejects.toBeInstanceOf(
    ChangeRefusedError,
  );
}

test("The statements for an admin suffice, run by an owner that is not a superuser", async () => {
  await asOwner(statements.get("Required permissions") ?? "");
  const secret = new Secret("choose-another-one");
  await changesBoth({ as: "admin", credential: { account: "keyturn_admin", secret } }, {});
});

test("The statements for the app's identity suffice, where Azure makes the role", async () => {
  await bench.target.sql(
    `CREATE FUNCTION pgaadauth_create_principal(name text, admin bool, mfa bool) RETURNS text LANGUAGE plpgsql AS
     $$ BEGIN EXECUTE format('CREATE ROLE %I LOGIN', name); RETURN 'Created role for ' || name; END $$`,
  );
  await asOwner(statements.get("Change passwords with the app's identity") ?? "");
  const token = newSecret();
  await bench.target.sql(`ALTER ROLE "keyturn-app" PASSWORD '${token.reveal()}'`);
  const undo = await bench.target.rule(
    'hostssl all "keyturn-app" 127.0.0.1/32 password',
    async () => {
      const rows = await bench.target.sql(
        `SELECT FROM pg_hba_file_rules WHERE user_name = '{keyturn-app}'`,
      );
      return rows.length > 0;
    },
  );
  const getToken = () => Promise.resolve(token);
  await changesBoth({ as: "identity", getToken }, { identityAccount: "keyturn-app" });
  await undo();
});

test("The statement for a clear password keeps it out of a log that has everything", async () => {
  await bench.target.sql(statements.get("Servers that must see the password") ?? "");
  const secret = new Secret("choose-another-one");
  const using = { as: "admin", credential: { account: "keyturn_admin", secret } } as const;
  const next = { account: "app_a", secret: newSecret() };
  await bench.apply(next, using, bench.optionsWith({ database: "shop", sendPassword: "clear" }));
  expect(await bench.works(next)).toBe(true);
  expect(await readFile(bench.target.logFile, "utf8")).not.toContain(next.secret.reveal());
});

import { Client } from "pg";
import type { Postgres } from "../../postgres.ts";
import type { Passwords } from "./seed-secrets.ts";
import { adminAccount, type Seed, seeds } from "./seeds.ts";

/**
 * Makes the databases, the accounts and the administrator that Keyturn uses, with the passwords in the vault. Runs once for
 * each vault, because afterwards only Keyturn changes passwords. Safe to repeat after an interruption.
 */
export async function seedDatabases(
  server: Postgres,
  ca: string,
  passwords: Passwords,
): Promise<void> {
  await within(server, ca, "postgres", async (main) => {
    await main.query("CREATE TABLE IF NOT EXISTS seeded (vault_version text PRIMARY KEY)");
    const version = [passwords.vaultVersion];
    const done = await main.query("SELECT 1 FROM seeded WHERE vault_version = $1", version);
    if (done.rowCount === 1) return;
    // Otherwise the server logs a failing statement, including its password.
    await main.query("SET log_min_error_statement = panic");
    await ensureLogin(main, adminAccount, passwords);
    await run(main, "ALTER ROLE %I CREATEROLE", adminAccount);
    for (const seed of seeds) {
      await seedAccounts(main, seed, passwords);
      await ensureDatabase(main, seed.id);
      await run(main, "REVOKE CONNECT ON DATABASE %I FROM PUBLIC", seed.id);
      await run(main, "GRANT CONNECT ON DATABASE %I TO %I", seed.id, adminAccount);
      await run(main, "GRANT CONNECT ON DATABASE %I TO %I", seed.id, findParent(seed));
      await within(server, ca, seed.id, (inside) => seedTable(inside, seed));
    }
    await main.query("INSERT INTO seeded VALUES ($1)", version);
  });
}

/** Returns the role without log-in that owns the rights; both accounts of a pair get them through it. */
const findParent = ({ id }: Seed): string => `${id}_app`;

async function seedAccounts(main: Client, seed: Seed, passwords: Passwords): Promise<void> {
  await ensureRole(main, findParent(seed));
  for (const account of seed.accounts) {
    await ensureLogin(main, account, passwords);
    await run(main, "GRANT %I TO %I", findParent(seed), account);
    if (seed.by === "self") continue;
    // The administrator may change the account, but does not get its rights and cannot become it.
    const right = "GRANT %I TO %I WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
    await run(main, right, account, adminAccount);
  }
}

async function seedTable(inside: Client, seed: Seed): Promise<void> {
  await inside.query("CREATE TABLE IF NOT EXISTS item (id int PRIMARY KEY, name text NOT NULL)");
  const rows = "VALUES (1, 'first'), (2, 'second'), (3, 'third')";
  await inside.query(`INSERT INTO item ${rows} ON CONFLICT DO NOTHING`);
  await run(inside, "GRANT SELECT ON item TO %I", findParent(seed));
}

async function ensureLogin(main: Client, account: string, { of }: Passwords): Promise<void> {
  await ensureRole(main, account);
  // The second account of a pair has no password yet, so it cannot log in.
  await run(main, "ALTER ROLE %I LOGIN PASSWORD %L", account, of.get(account) ?? null);
}

async function ensureRole(main: Client, role: string): Promise<void> {
  const found = await main.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role]);
  if (found.rowCount === 0) await run(main, "CREATE ROLE %I", role);
}

async function ensureDatabase(main: Client, name: string): Promise<void> {
  const found = await main.query("SELECT 1 FROM pg_database WHERE datname = $1", [name]);
  if (found.rowCount === 0) await run(main, "CREATE DATABASE %I", name);
}

/** Runs a statement that takes no parameters; the server quotes the values. */
async function run(client: Client, form: string, ...values: (string | null)[]): Promise<void> {
  const text = "SELECT format($1, VARIADIC $2::text[]) AS statement";
  const { rows } = await client.query<{ statement: string }>(text, [form, values]);
  await client.query(rows[0]?.statement ?? "");
}

async function within(
  { host, port, adminUser: user, adminPassword: password }: Postgres,
  ca: string,
  database: string,
  task: (client: Client) => Promise<void>,
): Promise<void> {
  const ssl = { ca, rejectUnauthorized: true };
  const client = new Client({ host, port, user, password, database, ssl });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await task(client);
  } finally {
    await client.end();
  }
}

import { Client } from "pg";
import type { Postgres } from "../../postgres.ts";
import type { Passwords } from "./seed-secrets.ts";
import { adminAccount, type DatabaseSeed, databaseSeeds } from "./seeds.ts";

/**
 * Makes the databases, the accounts and the administrator that Keyturn uses, with the passwords in the vault. Runs once for
 * each vault, because afterwards only Keyturn changes passwords. Safe to repeat after an interruption. The names need no
 * quotes, because none comes from outside this folder.
 */
export async function seedDatabases(
  { host, port, adminUser: user, adminPassword: password }: Postgres,
  ca: string,
  passwords: Passwords,
): Promise<void> {
  const ssl = { ca, rejectUnauthorized: true };
  const server = new Client({ host, port, user, password, database: "postgres", ssl });
  server.on("error", () => undefined);
  try {
    await server.connect();
    await server.query("CREATE TABLE IF NOT EXISTS seeded (vault_version text PRIMARY KEY)");
    const version = [passwords.vaultVersion];
    const done = await server.query("SELECT 1 FROM seeded WHERE vault_version = $1", version);
    if (done.rowCount === 1) return;
    // Otherwise the server logs a failing statement, including its password.
    await server.query("SET log_min_error_statement = panic");
    await ensureLogin(server, adminAccount, passwords);
    await server.query(`ALTER ROLE ${adminAccount} CREATEROLE`);
    for (const seed of databaseSeeds) await makeDatabase(server, seed, passwords);
    await server.query("INSERT INTO seeded VALUES ($1)", version);
  } finally {
    await server.end();
  }
}

async function makeDatabase(
  server: Client,
  { id, accounts, by }: DatabaseSeed,
  passwords: Passwords,
): Promise<void> {
  const found = await server.query("SELECT 1 FROM pg_database WHERE datname = $1", [id]);
  if (found.rowCount === 0) await server.query(`CREATE DATABASE ${id}`);
  for (const account of accounts) {
    await ensureLogin(server, account, passwords);
    if (by === "self") continue;
    // The administrator may change the account, but does not get its rights and cannot become it.
    const right = "WITH ADMIN TRUE, INHERIT FALSE, SET FALSE";
    await server.query(`GRANT ${account} TO ${adminAccount} ${right}`);
  }
  await server.query(`REVOKE CONNECT ON DATABASE ${id} FROM PUBLIC`);
  const all = [adminAccount, ...accounts].join(", ");
  await server.query(`GRANT CONNECT ON DATABASE ${id} TO ${all}`);
}

async function ensureLogin(server: Client, account: string, { of }: Passwords): Promise<void> {
  const found = await server.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [account]);
  if (found.rowCount === 0) await server.query(`CREATE ROLE ${account}`);
  // The second account of a pair has no password yet, so it cannot log in.
  const password = of.get(account);
  const literal = password === undefined ? "NULL" : server.escapeLiteral(password);
  await server.query(`ALTER ROLE ${account} LOGIN PASSWORD ${literal}`);
}

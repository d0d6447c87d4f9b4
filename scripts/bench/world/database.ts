import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client, escapeLiteral } from "pg";
import { makeCertificate } from "../../../local/certificate.ts";
import { startPostgres } from "../../../local/postgres.ts";

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** A real PostgreSQL that uses TLS and waits for its disk. */
export interface Database {
  readonly port: number;
  /** PEM file of the authority to trust. */
  readonly caFile: string;
  /** An account with CREATEROLE. */
  readonly admin: Login;
  /** Makes an account with a password for each name. */
  makeAccounts(names: readonly string[]): Promise<readonly Login[]>;
  /** Log-ins so far, as the server counts them. */
  sessions(): Promise<number>;
  /** Logs in with the plain client. */
  logsIn(login: Login): Promise<boolean>;
  version(): Promise<string>;
  close(): Promise<void>;
}

const newPassword = () => `Aa1-${randomBytes(18).toString("base64url")}`;

const makeAdmin = ({ username, password }: Login) =>
  `CREATE ROLE ${username} LOGIN CREATEROLE PASSWORD ${escapeLiteral(password)}`;

const makeAccount = ({ username, password }: Login) =>
  `CREATE ROLE ${username} LOGIN PASSWORD ${escapeLiteral(password)};
   GRANT ${username} TO rotation_admin WITH ADMIN OPTION;`;

export async function startDatabase(folder: string): Promise<Database> {
  const tls = await makeCertificate();
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, tls.ca);
  const server = await startPostgres({
    directory: join(folder, "postgresql"),
    tls,
    // Enough for all accounts to log in at the same time.
    settings: { max_connections: "300" },
  });
  const clientFor = ({ username, password }: Login) =>
    new Client({
      ...{ host: "127.0.0.1", port: server.port, user: username, password, database: "postgres" },
      ssl: { ca: tls.ca },
    });
  const person = clientFor({ username: server.adminUser, password: server.adminPassword });
  person.on("error", () => undefined);
  const first = async (query: string): Promise<string> => {
    const { rows } = await person.query<{ value: unknown }>(query);
    return String(rows[0]?.value);
  };
  const admin = { username: "rotation_admin", password: newPassword() };
  const prepare = async () => {
    await person.connect();
    await person.query(makeAdmin(admin));
  };
  await prepare().catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  return {
    ...{ port: server.port, caFile, admin },
    async makeAccounts(names) {
      const logins = names.map((username) => ({ username, password: newPassword() }));
      await person.query(logins.map(makeAccount).join("\n"));
      return logins;
    },
    sessions: async () =>
      Number(await first("SELECT sum(sessions) AS value FROM pg_stat_database")),
    version: () => first("SELECT current_setting('server_version') AS value"),
    async logsIn(login) {
      const client = clientFor(login);
      try {
        await client.connect();
        return true;
      } catch {
        return false;
      } finally {
        await client.end();
      }
    },
    async close() {
      await person.end();
      await server.close();
    },
  };
}

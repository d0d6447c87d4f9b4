import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "tedious";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { azureSql } from "../../../shared/rotators/azure-sql/azure-sql.ts";
import type { AzureIdentity } from "../../../shared/rotators/rotator.ts";
import { toKey } from "../../doubles/tds/model.ts";
import {
  startTdsDouble,
  type TdsDouble,
  type TdsDoubleOptions,
  type TdsEdition,
} from "../../doubles/tds/server.ts";

export const database = "shop";
const token = `token-${randomBytes(12).toString("hex")}`;
const newSecret = () => new Secret(`Aa1~${randomBytes(18).toString("base64url")}`);

/** The double with an admin, an account without rights, and the app's identity; the rotator is aimed at it. */
export interface AzureSqlBench {
  readonly tds: TdsDouble;
  readonly admin: Credential;
  readonly powerless: Credential;
  readonly identity: AzureIdentity;
  optionsWith(changed?: object): ReturnType<typeof azureSql.options.parse>;
  /** Creates a login with a user in the database, or sets the password of an existing one. */
  login(name: string, password: string): void;
  /** The same for a contained user. */
  containedUser(name: string, password: string): void;
  logsIn(account: string, password: string): Promise<boolean>;
  stay(account: string, password: string): Promise<() => Promise<void>>;
  snapshot(): unknown;
  close(): Promise<void>;
}

export async function startAzureSqlBench(
  edition: TdsEdition = "sql-server",
  options: TdsDoubleOptions = {},
): Promise<AzureSqlBench> {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-azure-sql-"));
  const admin = { account: "keyturn_admin", secret: newSecret() };
  const powerless = { account: "powerless", secret: newSecret() };
  const rights = {
    roles: edition === "azure-sql-database" ? ["##MS_LoginManager##"] : [],
    permissions: ["ALTER ANY LOGIN", "VIEW SERVER STATE"],
  };
  const inDatabase = {
    permissions: [
      "ALTER ANY USER",
      "VIEW DEFINITION",
      "VIEW DATABASE STATE",
      "KILL DATABASE CONNECTION",
    ],
  };
  const entra = "keyturn-app";
  const mapped = (name: string) => ({ name, login: name });
  const tds = await startTdsDouble({
    edition,
    logins: [
      { account: admin.account, password: admin.secret.reveal(), ...rights },
      { account: powerless.account, password: powerless.secret.reveal() },
      { account: entra, password: "", type: "E", ...rights },
    ],
    entra: { [entra]: token },
    databases: [
      {
        name: database,
        users: [
          { ...mapped(admin.account), ...inDatabase },
          mapped(powerless.account),
          { ...mapped(entra), ...inDatabase },
        ],
      },
    ],
    masterUsers: [
      { ...mapped(admin.account), ...inDatabase },
      mapped(powerless.account),
      { ...mapped(entra), ...inDatabase },
    ],
    encryption: "required",
    hostile: true,
    ...options,
  });
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, tds.ca);
  const { world } = tds.inspection;
  const shop = world.databases.get(database);

  return {
    tds,
    admin,
    powerless,
    identity: {
      as: "identity",
      getToken: (scope) =>
        scope === "https://database.windows.net/.default"
          ? Promise.resolve(new Secret(token))
          : Promise.reject(new Error("a token for another service")),
    },
    optionsWith: (changed = {}) =>
      azureSql.options.parse({
        host: "localhost",
        port: tds.port,
        database,
        tls: { caFile },
        ...changed,
      }),
    login(account, password) {
      const known = world.logins.get(toKey(account));
      if (known) {
        Object.assign(known, { password, enabled: true, locked: false });
        return;
      }
      tds.addLogin({ account, password });
      tds.addUser(database, mapped(account));
      // On Azure SQL Database, a login that changes itself has to open master.
      tds.addUser("master", mapped(account));
    },
    containedUser(name, password) {
      const known = shop?.users.get(toKey(name));
      if (known) Object.assign(known, { password, connect: "granted" });
      else tds.addUser(database, { name, password });
    },
    logsIn: async (account, password) => {
      const { connection, isIn } = await connect(tds, account, password);
      connection.close();
      return isIn;
    },
    async stay(account, password) {
      const { connection, isIn } = await connect(tds, account, password);
      if (!isIn) throw new Error(`${account} does not log in`);
      return () => {
        connection.close();
        return Promise.resolve();
      };
    },
    snapshot: () => ({
      logins: [...world.logins.values()].map((login) => ({ ...login, failures: 0 })),
      users: [...(shop?.users.values() ?? [])].map((user) => ({ ...user })),
    }),
    async close() {
      await tds.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Logs in with the plain client, as most consumers do. */
async function connect(
  tds: TdsDouble,
  userName: string,
  password: string,
): Promise<{ connection: Connection; isIn: boolean }> {
  const connection = new Connection({
    server: "localhost",
    authentication: { type: "default", options: { userName, password } },
    options: {
      port: tds.port,
      database,
      encrypt: true,
      cryptoCredentialsDetails: { ca: tds.ca },
      maxRetriesOnTransientErrors: 0,
    },
  });
  const numbers: number[] = [];
  connection.on("errorMessage", ({ number }) => numbers.push(number));
  connection.on("error", () => undefined);
  const error = await new Promise<Error | undefined>((resolve) => {
    connection.connect(resolve);
  });
  // A disabled login is as useless as one with a wrong password.
  const isRefused = numbers[0] === 18_456 || numbers[0] === 18_470;
  if (error !== undefined && !isRefused) throw error;
  return { connection, isIn: error === undefined };
}

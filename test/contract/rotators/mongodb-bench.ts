import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient, type MongoClientOptions } from "mongodb";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb } from "../../../shared/rotators/mongodb/mongodb.ts";
import {
  type MongoDouble,
  type MongoDoubleOptions,
  type MongoUser,
  startMongoDouble,
} from "../../doubles/mongodb/server.ts";

export const admin: Credential = {
  account: "rotation_admin",
  secret: new Secret("Adm1n~of-the-rotations"),
};
export const powerless: Credential = {
  account: "powerless",
  secret: new Secret("N0~rights-to-anything"),
};

/** The authentication database of the accounts in these tests; their admin is in `admin`. */
export const home = "orders";

const staff: readonly MongoUser[] = [
  {
    user: admin.account,
    password: admin.secret.reveal(),
    roles: [
      { role: "userAdminAnyDatabase", db: "admin" },
      { role: "clusterMonitor", db: "admin" },
    ],
  },
  { user: powerless.account, password: powerless.secret.reveal() },
];

/** A double with an admin, the rotator aimed at it, and the plain client that checks the result. */
export interface MongodbBench {
  readonly double: MongoDouble;
  optionsWith(changed?: object): ReturnType<typeof mongodb.options.parse>;
  addAccount(user: string, password: string, more?: Partial<MongoUser>): Promise<void>;
  logsIn(user: string, password: string, db?: string): Promise<boolean>;
  /** Logs in with the plain client and stays logged in; returns a function that closes the session. */
  stay(user: string, password: string, db?: string): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export async function startMongodbBench(more: MongoDoubleOptions = {}): Promise<MongodbBench> {
  const directory = await mkdtemp(join(tmpdir(), "keyturn-mongodb-"));
  const double = await startMongoDouble({
    iterations: 4096,
    hostile: true,
    ...more,
    users: [...(more.mongosBeside === undefined ? staff : []), ...(more.users ?? [])],
  });
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, double.ca ?? "");
  const tls = more.tls === true ? { mode: "verify-full", caFile } : { mode: "disable" };
  const { host, port } = double;

  function clientFor(username: string, password: string, authSource = home): MongoClient {
    const settings: MongoClientOptions = {
      auth: { username, password },
      authSource,
      directConnection: true,
      ...(double.ca === undefined ? {} : { tls: true, ca: double.ca }),
    };
    return new MongoClient(double.url, settings);
  }

  return {
    double,
    optionsWith: (changed = {}) =>
      mongodb.options.parse({ host, port, authDatabase: home, tls, ...changed }),
    addAccount: (user, password, more = {}) =>
      double.addUser({ user, password, db: home, changeOwnPassword: true, ...more }),
    async logsIn(user, password, db) {
      const client = clientFor(user, password, db);
      try {
        await client.connect();
        return true;
      } catch (error) {
        if (error instanceof Error && Reflect.get(error, "code") === 18) return false;
        throw error;
      } finally {
        await client.close();
      }
    },
    async stay(user, password, db) {
      const client = clientFor(user, password, db);
      await client.connect();
      return () => client.close();
    },
    async close() {
      await double.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

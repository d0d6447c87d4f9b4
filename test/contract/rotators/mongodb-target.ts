import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { type Document, MongoClient, type MongoClientOptions } from "mongodb";
import { type CutKind, cutProxy } from "../../../conformance/faults/cut-proxy.ts";
import { type Credential, Secret } from "../../../shared/core/secrets/secret.ts";
import { mongodb, type MongodbOptions } from "../../../shared/rotators/mongodb/mongodb.ts";
import { localCertificate } from "../../doubles/certificate.ts";
import type { TestServer } from "../../servers/server.ts";

/** The authentication database of the accounts in these tests; their admin is in `admin`. */
export const home = "orders";

export const admin: Credential = {
  account: "rotation_admin",
  secret: new Secret("Adm1n~of-the-rotations"),
};
export const powerless: Credential = {
  account: "powerless",
  secret: new Secret("N0~rights-to-anything"),
};

const ownPassword = "changeOwnPassword";

interface LogIn {
  readonly account: string;
  readonly password: string;
  readonly db?: string;
  /** The port of one member of a replica set. */
  readonly member?: number;
}

/** A part of the answer to `serverStatus`. The driver begins each log-in speculatively, in its first message. */
interface ServerSecurity {
  readonly authentication: {
    readonly mechanisms: Record<string, { readonly speculativeAuthenticate: { received: number } }>;
  };
}

/** Accounts on a real MongoDB, and the plain client that judges what the rotator did. */
export interface MongodbTarget {
  /** The options of a target on this server, over TLS. */
  readonly optionsWith: (changed?: object) => MongodbOptions;
  /** Runs a command as the server's own admin. */
  readonly run: (database: string, command: Document) => Promise<Document>;
  /** Creates the account, or sets its password. */
  readonly account: (name: string, password: string, more?: Document) => Promise<void>;
  readonly logsIn: (account: string, password: string, db?: string) => Promise<boolean>;
  /**
   * Logs in with the plain client and stays logged in; returns a function that closes the session. `member`: the port of one member of
   * a replica set.
   */
  readonly stay: (
    account: string,
    password: string,
    member?: number,
  ) => Promise<() => Promise<void>>;
  /** Everything that the server stores about users. */
  readonly snapshot: () => Promise<unknown>;
  /** Log-ins that the server has checked. */
  readonly logIns: () => Promise<number>;
  /** Connections of the rotator that the server holds. */
  readonly openConnections: () => Promise<number>;
  readonly close: () => Promise<void>;
}

export interface Place {
  /** A connection string without credentials. */
  readonly url: string;
  readonly ca: string;
  readonly admin: Credential;
  /** The options of the rotator that name the servers and the authority of their certificates. */
  readonly options: object;
  readonly client?: MongoClientOptions;
}

/** A proxy in front of a server that can lose the line at a text, with the options that aim the rotator at it. */
export async function openLine({ host, port, ca }: TestServer) {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-line-"));
  const certificate = await localCertificate();
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, certificate.cert);
  const proxy = await cutProxy(() => connectTls({ host, port, ca }), undefined, certificate);
  return {
    proxy,
    cutAt: (text: string, kind: CutKind) => {
      proxy.cutAt(text, kind);
    },
    options: { host: "127.0.0.1", port: proxy.port, tls: { caFile } },
    async close() {
      await proxy.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** The place of one server. */
export function placeOf({ host, port, ca, caFile, admin: root }: TestServer): Place {
  return {
    url: `mongodb://${host}:${String(port)}/`,
    ca,
    admin: root,
    options: { host, port, tls: { caFile } },
    client: { directConnection: true },
  };
}

export async function openMongodbTarget(place: Place): Promise<MongodbTarget> {
  const clientFor = ({ account, password, db = home, member }: LogIn) =>
    new MongoClient(member === undefined ? place.url : `mongodb://127.0.0.1:${String(member)}/`, {
      tls: true,
      ca: place.ca,
      auth: { username: account, password },
      authSource: db,
      ...(member === undefined ? place.client : { directConnection: true }),
    });
  const { account: name, secret } = place.admin;
  const root = clientFor({ account: name, password: secret.reveal(), db: "admin" });
  await root.connect();
  const run = (database: string, command: Document) => root.db(database).command(command);

  async function setUser(db: string, user: string, fields: Document): Promise<void> {
    const { users } = await run(db, { usersInfo: { user, db } });
    const verb = (users as Document[]).length > 0 ? "updateUser" : "createUser";
    await run(db, { [verb]: user, roles: [], ...fields, writeConcern: { w: "majority" } });
  }

  const { roles } = await run(home, { rolesInfo: ownPassword });
  if ((roles as Document[]).length === 0) {
    const resource = { db: home, collection: "" };
    const privileges = [{ resource, actions: [ownPassword] }];
    await run(home, { createRole: ownPassword, privileges, roles: [] });
  }
  await setUser("admin", admin.account, {
    pwd: admin.secret.reveal(),
    roles: ["userAdminAnyDatabase", "clusterMonitor"],
  });
  await setUser("admin", powerless.account, { pwd: powerless.secret.reveal() });

  return {
    optionsWith: (changed = {}) =>
      mongodb.options.parse({ ...place.options, authDatabase: home, ...changed }),
    run,
    account: (user, password, more = {}) =>
      setUser(home, user, { pwd: password, roles: [ownPassword], ...more }),
    async logsIn(account, password, db) {
      const client = clientFor({ account, password, ...(db !== undefined && { db }) });
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
    async stay(account, password, member) {
      const client = clientFor({ account, password, ...(member !== undefined && { member }) });
      await client.connect();
      await client.db("admin").command({ ping: 1 });
      return () => client.close();
    },
    snapshot: () => root.db("admin").collection("system.users").find().sort({ _id: 1 }).toArray(),
    async logIns() {
      const status = await run("admin", { serverStatus: 1 });
      const { authentication } = status["security"] as ServerSecurity;
      return Object.values(authentication.mechanisms).reduce(
        (sum, { speculativeAuthenticate }) => sum + speculativeAuthenticate.received,
        0,
      );
    },
    async openConnections() {
      const open = await root
        .db("admin")
        .aggregate([
          { $currentOp: { allUsers: true, idleConnections: true } },
          { $match: { appName: "keyturn" } },
        ])
        .toArray();
      return open.length;
    },
    close: () => root.close(),
  };
}

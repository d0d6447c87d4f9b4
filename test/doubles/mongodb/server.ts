import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type Connections, listen } from "../../../conformance/faults/listening.ts";
import { faultPoints, type Faults } from "../../../local/faults.ts";
import { noteUse } from "../../servers/report/uses.ts";
import { type Certificate, localCertificate } from "../certificate.ts";
import { connectionHandler } from "./connection.ts";
import type { MongoRefusal } from "./errors.ts";
import { type Mechanism, mechanisms } from "./scram.ts";
import type { Lacking, MongoEffect, MongoServer } from "./session.ts";
import {
  cachedUsers,
  makeCredentials,
  type Restriction,
  type Role,
  type Users,
  userStore,
} from "./users.ts";

export type { MongoRefusal } from "./errors.ts";
export type { MongoEffect } from "./session.ts";

export interface MongoUser {
  readonly user: string;
  readonly password: string;
  /** Authentication database. Default `admin`. */
  readonly db?: string;
  /** May change its own password (a custom role on a real server). */
  readonly changeOwnPassword?: boolean;
  readonly roles?: readonly Role[];
  /** Default SCRAM-SHA-256 alone. */
  readonly mechanisms?: readonly Mechanism[];
  /** `authenticationRestrictions`. Default: none. */
  readonly restrictions?: readonly Restriction[];
}

export interface MongoDoubleOptions {
  readonly users?: readonly MongoUser[];
  /** True: TLS with the local certificate. */
  readonly tls?: boolean;
  /** SCRAM iterations; the real default is 15,000 and clients accept no fewer than 4,096. */
  readonly iterations?: number;
  readonly hostile?: boolean;
  /** Mechanisms that are switched on. Default: all. */
  readonly enabled?: readonly Mechanism[];
  /** What it leaves out of its answers, as emulations do. */
  readonly lacks?: readonly Lacking[];
  /** It answers as Azure DocumentDB does. Default: as MongoDB does. */
  readonly isDocumentDb?: boolean;
  /** It is a mongos, alone. Default: a mongod. */
  readonly isMongos?: boolean;
  /** A mongos of the cluster of this other mongos, whose users it knows as they were when it last asked. */
  readonly mongosBeside?: MongoDouble;
  /** It presents itself as a secondary. */
  readonly secondary?: boolean;
  /** Name of the replica set of which it is the only member left. Default: it stands alone. */
  readonly replicaSet?: string;
}

export interface MongoDouble {
  readonly host: string;
  readonly port: number;
  /** PEM of the authority to trust; only with TLS. */
  readonly ca: string | undefined;
  /** Connection string without user, password and TLS options. */
  readonly url: string;
  readonly faults: Faults<MongoEffect, MongoRefusal>;
  readonly inspection: {
    readonly connections: Connections;
    /** Every attempt to prove a password, in order. */
    readonly logins: readonly { user: string; db: string; accepted: boolean }[];
    /** How often a command of this name took effect. */
    performed(command: string): number;
    users(): readonly { user: string; db: string; mechanisms: readonly Mechanism[] }[];
    accepts(user: string, password: string, db?: string): Promise<boolean>;
  };
  addUser(user: MongoUser): Promise<void>;
  /** Whether the other members of the replica set are too slow for the write concern of a change. */
  lag(isLagging: boolean): void;
  /** The users as the cluster has them. */
  readonly users: Users;
  /** A mongos beside another one learns of all changes. */
  readonly learn: () => void;
  close(): Promise<void>;
}

/** A double of a MongoDB server with access control, for users, passwords and log-ins. */
export async function startMongoDouble(options: MongoDoubleOptions = {}): Promise<MongoDouble> {
  noteUse("mongodb", "double");
  const faults = faultPoints<MongoEffect, MongoRefusal>(options.hostile);
  const { iterations = 15_000, isDocumentDb = false } = options;
  const { users, known, learn } = usersFor(options);
  const server: MongoServer = {
    presents: presentation(options),
    enabled: options.enabled ?? mechanisms,
    lacks: new Set(isDocumentDb ? ["effectiveUsers"] : options.lacks),
    isDocumentDb,
    writes: { last: 1, majority: 1, isLagging: false },
    users: known,
    iterations: { "SCRAM-SHA-1": iterations, "SCRAM-SHA-256": iterations },
    faults,
    sessions: new Set(),
    logins: [],
  };
  for (const user of options.users ?? []) await addUser(server, user);
  const performed = new Map<string, number>();
  const serve = connectionHandler(server, faults, performed);
  const certificate = options.tls === true ? await localCertificate() : undefined;
  const listening = await listen(listener(certificate, serve));
  if (options.replicaSet !== undefined) {
    server.presents = { ...server.presents, ...membership(options.replicaSet, listening.port) };
  }
  return {
    host: "127.0.0.1",
    port: listening.port,
    ca: certificate?.cert,
    url: `mongodb://127.0.0.1:${String(listening.port)}/`,
    faults,
    inspection: {
      connections: listening.connections,
      logins: server.logins,
      performed: (command) => performed.get(command) ?? 0,
      users: () =>
        server.users.all().map(({ user, db, credentials }) => ({
          user,
          db,
          mechanisms: credentials.map(({ mechanism }) => mechanism),
        })),
      accepts: (user, password, db = "admin") => server.users.accepts(user, password, db),
    },
    addUser: (user) => addUser(server, user),
    lag(isLagging) {
      server.writes.isLagging = isLagging;
      if (!isLagging) server.writes.majority = server.writes.last;
    },
    users,
    learn,
    async close() {
      faults.release();
      await listening.close();
    },
  };
}

/** The users of the cluster, and those that this server knows. */
function usersFor({ mongosBeside }: MongoDoubleOptions) {
  const users = mongosBeside?.users ?? userStore();
  const cache = cachedUsers(users);
  return { users, known: mongosBeside === undefined ? users : cache, learn: cache.learn };
}

/** How the server presents itself in its hello. */
function presentation({ secondary, isMongos, mongosBeside }: MongoDoubleOptions) {
  return {
    ...(secondary === true && { isWritablePrimary: false, ismaster: false }),
    ...((isMongos === true || mongosBeside !== undefined) && { msg: "isdbgrid" }),
  };
}

/** The part of the hello of a replica set's only member. */
function membership(setName: string, port: number) {
  const me = `127.0.0.1:${String(port)}`;
  return { setName, setVersion: 1, hosts: [me], primary: me, me };
}

function listener(certificate: Certificate | undefined, serve: (socket: Socket) => void) {
  return certificate === undefined
    ? createServer(serve)
    : createTlsServer({ key: certificate.key, cert: certificate.cert }, serve);
}

async function addUser({ users, iterations }: MongoServer, added: MongoUser): Promise<void> {
  const { user, password, db = "admin", restrictions = [] } = added;
  const own: readonly Role[] =
    added.changeOwnPassword === true ? [{ role: "changeOwnPassword", db }] : [];
  const credentials = await makeCredentials(
    user,
    password,
    added.mechanisms ?? ["SCRAM-SHA-256"],
    iterations,
  );
  users.create({ user, db, roles: [...(added.roles ?? []), ...own], credentials, restrictions });
}

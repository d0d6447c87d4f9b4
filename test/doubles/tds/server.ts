import { createServer } from "node:net";
import { createSecureContext } from "node:tls";
import { type Connections, listen } from "../../../conformance/faults/listening.ts";
import { faultPoints, type Faults } from "../../../local/faults.ts";
import { noteUse } from "../../servers/report/uses.ts";
import { certificateFor } from "../certificate.ts";
import {
  type EncryptionMode,
  type LoginAttempt,
  serveConnection,
  type TdsEffect,
  type TdsServer,
} from "./connection.ts";
import type { TdsRefusal } from "./errors.ts";
import { addLogin, changeLogin, findLogin, type TdsLogin } from "./logins.ts";
import {
  addUser,
  type DatabaseState,
  makeDatabase,
  type TdsDatabaseOptions,
  type TdsEdition,
  type TdsUser,
  toKey,
  type World,
} from "./model.ts";
import type { Route } from "./tokens.ts";

export type { TdsEffect } from "./connection.ts";
export type { TdsEdition } from "./model.ts";
export { tdsErrors, type TdsRefusal } from "./errors.ts";

export interface TdsDoubleOptions {
  readonly logins?: readonly TdsLogin[];
  /** Name in error messages and `@@SERVERNAME`. Default `keyturn-sql`. */
  readonly name?: string;
  /** Default: SQL Server. */
  readonly edition?: TdsEdition;
  /** Databases besides `master`. Every login may open one that is given as a text. */
  readonly databases?: readonly (string | TdsDatabaseOptions)[];
  /** Users of `master`. */
  readonly masterUsers?: readonly TdsUser[];
  /** Plain clients: welcome (`optional`, the default) or turned away (`required`, as Azure SQL does). */
  readonly encryption?: EncryptionMode;
  /** So many log-ins after a change are still judged by the password before it. Default 0. */
  readonly propagation?: number;
  /** Wrong passwords in a row that lock an account. Default never. */
  readonly lockAfter?: number;
  readonly hostile?: boolean;
  /** Tokens of Microsoft Entra principals, by the names of the principals. */
  readonly entra?: Readonly<Record<string, string>>;
  /** It accepts only Microsoft Entra log-ins. */
  readonly entraOnly?: boolean;
  /** Names in its certificate. Default: localhost and 127.0.0.1. */
  readonly certifiedFor?: readonly string[];
  /** It sends who logs in on to this place, as Azure SQL does with clients inside Azure. */
  readonly routesTo?: Route | "itself";
}

export interface TdsDouble {
  readonly host: string;
  readonly port: number;
  /** PEM of the authority to trust. */
  readonly ca: string;
  readonly faults: Faults<TdsEffect, TdsRefusal>;
  readonly inspection: {
    readonly connections: Connections;
    /** Every requested log-in, in order. */
    readonly logins: readonly LoginAttempt[];
    /** Whether this is the password that holds once everything has spread. */
    accepts(account: string, password: string): boolean;
    /** Everything that is stored. */
    readonly world: World;
  };
  addLogin(login: TdsLogin): void;
  addUser(database: string, user: TdsUser): void;
  /** What the administrator of the platform does; throws for an account that does not exist. */
  setPassword(account: string, password: string): void;
  setEnabled(account: string, enabled: boolean): void;
  unlock(account: string): void;
  setDatabase(name: string, state: DatabaseState): void;
  /** Refuses further log-ins as long as so many sessions are open, in all databases or in one. */
  limitSessions(most: number, database?: string): void;
  close(): Promise<void>;
}

function makeWorld(options: TdsDoubleOptions): World {
  const {
    edition = "sql-server",
    masterUsers = [],
    databases = [],
    logins = [],
    entra = {},
  } = options;
  const all = [
    makeDatabase({ name: "master", users: masterUsers, guest: edition !== "azure-sql-database" }),
    ...databases.map((one) =>
      makeDatabase(typeof one === "string" ? { name: one, guest: true } : one),
    ),
  ];
  const world: World = {
    name: options.name ?? "keyturn-sql",
    edition,
    logins: new Map(),
    databases: new Map(all.map((database) => [toKey(database.name), database])),
    sessions: new Set(),
    entra: new Map(Object.entries(entra).map(([one, token]) => [token, one])),
    propagation: options.propagation ?? 0,
    lockAfter: options.lockAfter ?? Infinity,
    isEntraOnly: options.entraOnly ?? false,
    userConnections: Infinity,
  };
  for (const login of logins) addLogin(world, login);
  return world;
}

/** A double of SQL Server for log-ins and the T-SQL of Keyturn: TDS 7.4 with and without TLS, and TDS 8. */
export async function startTdsDouble(options: TdsDoubleOptions = {}): Promise<TdsDouble> {
  noteUse("sqlserver", "double");
  const { key, cert } = await certificateFor(
    ...(options.certifiedFor ?? ["localhost", "127.0.0.1"]),
  );
  const world = makeWorld(options);
  const { name } = world;
  const server: TdsServer = {
    name,
    encryption: options.encryption ?? "optional",
    secureContext: {
      packets: createSecureContext({ key, cert, maxVersion: "TLSv1.2" }),
      strict: createSecureContext({ key, cert }),
    },
    world,
    nextSession: 51,
    faults: faultPoints<TdsEffect, TdsRefusal>(options.hostile),
    attempts: [],
    routesTo: options.routesTo === "itself" ? undefined : options.routesTo,
  };
  const listening = await listen(
    createServer((socket) => {
      serveConnection(server, socket).catch(() => socket.destroy());
    }),
  );
  if (options.routesTo === "itself") {
    server.routesTo = { server: "localhost", port: listening.port };
  }
  const existing = (database: string) => {
    const found = world.databases.get(toKey(database));
    if (found === undefined) throw new Error(`no database ${database}`);
    return found;
  };
  return {
    host: "127.0.0.1",
    port: listening.port,
    ca: cert,
    faults: server.faults,
    inspection: {
      connections: listening.connections,
      logins: server.attempts,
      accepts: (account, password) => findLogin(world, account)?.password === password,
      world,
    },
    addLogin: (login) => {
      addLogin(world, login);
    },
    addUser: (database, user) => {
      addUser(existing(database), user, world.logins);
    },
    setPassword(account, password) {
      const login = findLogin(world, account);
      if (login === undefined) throw new Error(`no login ${account}`);
      changeLogin(world, login, { password });
    },
    setEnabled: (account, enabled) => {
      const login = findLogin(world, account);
      if (login) changeLogin(world, login, { enabled });
    },
    unlock: (account) => {
      Object.assign(findLogin(world, account) ?? {}, { locked: false, failures: 0 });
    },
    setDatabase: (database, state) => {
      existing(database).state = state;
    },
    limitSessions: (most, database) => {
      if (database === undefined) world.userConnections = most;
      else existing(database).sessionLimit = most;
    },
    async close() {
      server.faults.release();
      await listening.close();
    },
  };
}

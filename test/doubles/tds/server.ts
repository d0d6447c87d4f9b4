import { createServer } from "node:net";
import { createSecureContext } from "node:tls";
import { noteUse } from "../../servers/report/uses.ts";
import { certificateFor } from "../certificate.ts";
import { faultPoints, type Faults } from "../faults.ts";
import { type Connections, listen } from "../listening.ts";
import {
  type EncryptionMode,
  type LoginAttempt,
  serveConnection,
  type TdsEffect,
  type TdsServer,
} from "./connection.ts";
import type { TdsRefusal } from "./errors.ts";
import { type LoginRules, loginTable, type TdsLogin } from "./logins.ts";
import type { Route } from "./tokens.ts";

export type { TdsEffect } from "./connection.ts";
export { tdsErrors, type TdsRefusal } from "./errors.ts";

export interface TdsDoubleOptions {
  readonly logins?: readonly TdsLogin[];
  /** Name in error messages and `@@SERVERNAME`. Default `keyturn-sql`. */
  readonly name?: string;
  /** Databases besides `master`. */
  readonly databases?: readonly string[];
  /** Plain clients: welcome (`optional`, the default) or turned away (`required`, as Azure SQL does). */
  readonly encryption?: EncryptionMode;
  /** So many log-ins after a change are still judged by the password before it. Default 0. */
  readonly propagation?: number;
  /** Wrong passwords in a row that lock an account. Default never. */
  readonly lockAfter?: number;
  readonly hostile?: boolean;
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
  };
  addLogin(login: TdsLogin): void;
  /** What the administrator of the platform does; throws for an account that does not exist. */
  setPassword(account: string, password: string): void;
  setEnabled(account: string, enabled: boolean): void;
  unlock(account: string): void;
  setDatabase(name: string, state: "online" | "unavailable"): void;
  close(): Promise<void>;
}

/** A double of SQL Server for log-ins: TDS 7.4 with and without TLS, and TDS 8. */
export async function startTdsDouble(options: TdsDoubleOptions = {}): Promise<TdsDouble> {
  noteUse("sqlserver", "double");
  const { key, cert } = await certificateFor(
    ...(options.certifiedFor ?? ["localhost", "127.0.0.1"]),
  );
  const { name = "keyturn-sql", databases = [] } = options;
  const online = ["master", ...databases].map((one) => [one.toLowerCase(), "online"] as const);
  const rules: LoginRules = {
    server: name,
    databases: new Map<string, "online" | "unavailable">(online),
    propagation: options.propagation ?? 0,
    lockAfter: options.lockAfter ?? Infinity,
  };
  const logins = loginTable(rules);
  for (const login of options.logins ?? []) logins.add(login);
  const server: TdsServer = {
    name,
    encryption: options.encryption ?? "optional",
    secureContext: {
      packets: createSecureContext({ key, cert, maxVersion: "TLSv1.2" }),
      strict: createSecureContext({ key, cert }),
    },
    logins,
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
  return {
    host: "127.0.0.1",
    port: listening.port,
    ca: cert,
    faults: server.faults,
    inspection: {
      connections: listening.connections,
      logins: server.attempts,
      accepts: (account, password) => logins.accepts(account, password),
    },
    addLogin: (login) => {
      logins.add(login);
    },
    setPassword(account, password) {
      if (!logins.setPassword(account, password)) throw new Error(`no login ${account}`);
    },
    setEnabled: (account, enabled) => {
      logins.setEnabled(account, enabled);
    },
    unlock: (account) => {
      logins.unlock(account);
    },
    setDatabase: (database, state) => {
      rules.databases.set(database.toLowerCase(), state);
    },
    async close() {
      server.faults.release();
      await listening.close();
    },
  };
}

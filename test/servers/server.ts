import type { Credential } from "../../shared/core/secrets/secret.ts";

/** What every suite may use: a server that the tests started, or one that the environment names. */
export interface TestServer {
  /** A key of `systems`. */
  readonly system: System;
  /** An IPv4 address or a host name. */
  readonly host: string;
  /** Speaks TLS, with a certificate that is valid for `host`. */
  readonly port: number;
  /** PEM of the authority that signed the certificate. */
  readonly ca: string;
  /** A file with `ca`. */
  readonly caFile: string;
  /** As the server reports it, such as "9.7.4" or "10.11.19-MariaDB". */
  readonly version: string;
  /** An account that may do everything. */
  readonly admin: Credential;
  /**
   * Stops the server and deletes its folder; does nothing to a server that the tests did not start. Resolves when the process has
   * ended. Safe to repeat.
   */
  stop(): Promise<void>;
}

/** A throw-away server that this process started. It ends with this process, even if that is killed. */
export interface StartedServer extends TestServer {
  readonly host: "127.0.0.1";
  /** Changes with `restart`. SIGSTOP and SIGCONT make the server hang for a while. */
  readonly pid: number;
  /** Belongs to the server's user and is deleted by `stop`. Files for the server may be put here. */
  readonly folder: string;
  /** The data directory. */
  readonly data: string;
  /** What the server prints, over all restarts. */
  readonly logFile: string;
  /**
   * Stops the server if it still runs, and starts it on the same port and data. `flags` come after all others, replace those of an
   * earlier restart, and win over any flag that is given twice.
   */
  restart(flags?: readonly string[]): Promise<void>;
  /** SIGKILL. Resolves when the process has ended; `restart` starts it again. */
  crash(): Promise<void>;
}

export interface StartOptions {
  /** More command line flags. They come last, so they win over those given here. */
  readonly flags?: readonly string[];
}

/** Every system that tests run on, by the name that people know. */
export const systems = {
  mongodb: "MongoDB",
  mysql: "MySQL",
  mariadb: "MariaDB",
  redis: "Redis",
  valkey: "Valkey",
  postgresql: "PostgreSQL",
  pgbouncer: "PgBouncer",
  openldap: "OpenLDAP",
  sqlserver: "SQL Server",
  arm: "Azure Resource Manager",
  graph: "Microsoft Graph",
} as const;

export type System = keyof typeof systems;

/** Systems whose contract suites also run on a server that the environment names, with the port that its address may leave out. */
export const ownSystems = {
  mongodb: 27017,
  mysql: 3306,
  mariadb: 3306,
  redis: 6379,
  valkey: 6379,
  postgresql: 5432,
} as const satisfies Partial<Record<System, number>>;

export type OwnSystem = keyof typeof ownSystems;

/** The environment variable that names an own server of this system. */
export const ownVariable = (system: OwnSystem): string => `KEYTURN_TEST_${system.toUpperCase()}`;

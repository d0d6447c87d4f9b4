import type { System } from "../server.ts";

export interface Missing {
  readonly system: System;
  readonly what: string;
  /** Versions that are such a server. Without it, no version tells. */
  readonly versions?: RegExp;
}

/** What people run, on Azure above all, and what no package provides. */
export const missing: readonly Missing[] = [
  { system: "postgresql", what: "14 to 17", versions: /^1[4-7]\./ },
  { system: "postgresql", what: "a server that checks Entra tokens" },
  { system: "pgbouncer", what: "the one built into Azure Database for PostgreSQL" },
  { system: "mysql", what: "8.0", versions: /^8\.0\./ },
  { system: "mysql", what: "8.4", versions: /^8\.4\./ },
  { system: "mysql", what: "a server that checks Entra tokens" },
  { system: "mariadb", what: "10.6", versions: /^10\.6\./ },
  { system: "mariadb", what: "12", versions: /^12\./ },
  { system: "redis", what: "6", versions: /^6\./ },
  { system: "redis", what: "Sentinel" },
  { system: "mongodb", what: "7", versions: /^7\./ },
  { system: "mongodb", what: "8", versions: /^8\./ },
  { system: "mongodb", what: "several mongos" },
  { system: "mongodb", what: "Azure DocumentDB" },
  { system: "sqlserver", what: "SQL Server, Azure SQL Database and Managed Instance" },
  { system: "arm", what: "Azure itself" },
  { system: "graph", what: "Microsoft Entra" },
];

import { minute } from "../../core/time.ts";
import { findUnfitName } from "../common/connection/account-name.ts";
import { isTakenAsItStands } from "../common/connection/scram.ts";
import { findUnfitAdministrator } from "../common/sql-server/sql-server-account.ts";
import { minPasswordLength } from "../common/sql-server/sql-server-passwords.ts";
import { findUnfitAccount as findUnfitForMysql } from "../mysql/mysql-options.ts";
import { findUnfitAccount as findUnfitForPostgresql } from "../postgresql/postgresql-options.ts";
import {
  documentDbLogIn,
  type LogIn,
  mysqlLogIn,
  postgresqlLogIn,
  sqlServerLogIn,
} from "./azure-admin-log-in.ts";
import type { ServerProperties } from "./azure-admin-properties.ts";

/** One service of Azure that has an administrator with a password. */
export interface AdminService {
  /** Begins messages, in front of the name of the server. */
  readonly noun: string;
  /** The type of the resource in Azure Resource Manager. */
  readonly type: string;
  readonly apiVersion: string;
  /** The built-in role with the fewest rights that permits the change. */
  readonly role: string;
  /** The domain of its servers in the clouds of `resourceManagers`, in that order. Absent: the options must name the host. */
  readonly domains?: readonly [string, string, string];
  readonly nameLength: readonly [least: number, most: number];
  /** The name of the administrator. Undefined if the server has none. */
  readonly administrator: (properties: ServerProperties) => string | undefined;
  /** The state of the server. Only Ready permits a change. */
  readonly state: (properties: ServerProperties) => string | undefined;
  /** Whether the server accepts Microsoft Entra log-ins only. */
  readonly isEntraOnly: (properties: ServerProperties) => boolean;
  /** A resource below the server that says the same, and which an identity may not be permitted to read. */
  readonly entraSwitch?: {
    readonly path: string;
    readonly apiVersion: string;
    readonly isOn: (properties: ServerProperties) => boolean;
  };
  /** The body of the PATCH. */
  readonly toChange: (account: string, password: string) => object;
  /** Characters. The most is 128 everywhere. */
  readonly minPassword: number;
  /** Why clients could not use the password, as in "the secret …". */
  readonly findUnfitPassword?: (password: string) => string | undefined;
  /** In the words of `Rotator.findUnfitAccount`. */
  readonly findUnfitAccount: (account: string) => string | undefined;
  /** Milliseconds during which the server may refuse a new password. */
  readonly propagation: number;
  readonly logIn: LogIn;
}

const toLoginPassword = (_account: string, administratorLoginPassword: string) => ({
  properties: { administratorLoginPassword },
});

const findUnfitForScram = (password: string) =>
  isTakenAsItStands(password) ? undefined : "has characters that clients encode differently";

/** Names that Azure reserves, on PostgreSQL and MySQL. */
const reserved = /^(?:azure_superuser|azure_pg_admin|admin|administrator|root|guest|sa|public)$/i;

const findReserved = (account: string) =>
  reserved.test(account)
    ? "must not be a reserved name, which Azure permits for no administrator; write the administrator that the Azure portal shows for this server"
    : undefined;

const sql = {
  administrator: ({ administratorLogin }) => administratorLogin,
  state: ({ state }) => state,
  isEntraOnly: ({ administrators }) => administrators?.azureADOnlyAuthentication === true,
  entraSwitch: {
    path: "azureADOnlyAuthentications/Default",
    apiVersion: "2020-11-01-preview",
    isOn: ({ azureADOnlyAuthentication }) => azureADOnlyAuthentication === true,
  },
  toChange: toLoginPassword,
  findUnfitAccount: findUnfitAdministrator,
  // The gateways receive a new password one after the other.
  propagation: 5 * minute,
  logIn: sqlServerLogIn,
} as const satisfies Partial<AdminService>;

/** The services by their names in the options. Their facts are those of the specifications that the ARM packages on npm contain. */
export const adminServices = {
  // @azure/arm-sql 10.0.0, which makes the calls.
  "sql-server": {
    ...sql,
    noun: "Azure SQL server",
    type: "Microsoft.Sql/servers",
    apiVersion: "2022-08-01-preview",
    role: "SQL Server Contributor",
    domains: ["database.windows.net", "database.usgovcloudapi.net", "database.chinacloudapi.cn"],
    nameLength: [1, 63],
    minPassword: minPasswordLength,
  },
  // @azure/arm-sql 10.0.0. The host contains the DNS zone of the instance, which only Azure knows.
  "sql-managed-instance": {
    ...sql,
    noun: "SQL Managed Instance",
    type: "Microsoft.Sql/managedInstances",
    apiVersion: "2022-08-01-preview",
    role: "SQL Managed Instance Contributor",
    nameLength: [1, 63],
    minPassword: 16,
  },
  // @azure/arm-postgresql-flexible 9.0.0.
  postgresql: {
    noun: "Azure Database for PostgreSQL server",
    type: "Microsoft.DBforPostgreSQL/flexibleServers",
    apiVersion: "2025-08-01",
    role: "Contributor",
    domains: [
      "postgres.database.azure.com",
      "postgres.database.usgovcloudapi.net",
      "postgres.database.chinacloudapi.cn",
    ],
    nameLength: [3, 63],
    administrator: ({ administratorLogin }) => administratorLogin,
    state: ({ state }) => state,
    isEntraOnly: ({ authConfig }) => authConfig?.passwordAuth === "Disabled",
    toChange: toLoginPassword,
    minPassword: minPasswordLength,
    findUnfitPassword: findUnfitForScram,
    findUnfitAccount: (account) => findReserved(account) ?? findUnfitForPostgresql(account),
    propagation: 2 * minute,
    logIn: postgresqlLogIn,
  },
  // @azure/arm-mysql-flexible 3.1.0.
  mysql: {
    noun: "Azure Database for MySQL server",
    type: "Microsoft.DBforMySQL/flexibleServers",
    apiVersion: "2021-05-01",
    role: "Contributor",
    domains: [
      "mysql.database.azure.com",
      "mysql.database.usgovcloudapi.net",
      "mysql.database.chinacloudapi.cn",
    ],
    nameLength: [3, 63],
    administrator: ({ administratorLogin }) => administratorLogin,
    state: ({ state }) => state,
    isEntraOnly: () => false,
    entraSwitch: {
      path: "configurations/aad_auth_only",
      apiVersion: "2021-05-01",
      isOn: ({ value }) => value?.toUpperCase() === "ON",
    },
    toChange: toLoginPassword,
    minPassword: minPasswordLength,
    findUnfitAccount: (account) =>
      findReserved(account) ?? findUnfitForMysql(account, { host: "any.mysql.database.azure.com" }),
    propagation: 2 * minute,
    logIn: mysqlLogIn,
  },
  // @azure/arm-mongocluster 1.1.0.
  documentdb: {
    noun: "Azure DocumentDB cluster",
    type: "Microsoft.DocumentDB/mongoClusters",
    apiVersion: "2025-09-01",
    role: "Contributor",
    domains: [
      "mongocluster.cosmos.azure.com",
      "mongocluster.cosmos.azure.us",
      "mongocluster.cosmos.azure.cn",
    ],
    nameLength: [3, 40],
    administrator: ({ administrator }) => administrator?.userName,
    state: ({ clusterStatus }) => clusterStatus,
    isEntraOnly: ({ authConfig }) => authConfig?.allowedModes?.includes("NativeAuth") === false,
    // Azure requires the name beside the password.
    toChange: (userName, password) => ({ properties: { administrator: { userName, password } } }),
    minPassword: minPasswordLength,
    findUnfitPassword: findUnfitForScram,
    findUnfitAccount: findUnfitName,
    propagation: 2 * minute,
    logIn: documentDbLogIn,
  },
} as const satisfies Readonly<Record<string, AdminService>>;

export type AdminServiceName = keyof typeof adminServices;

import type { TokenCredential } from "@azure/identity";
import { ConfigError } from "../../core/errors.ts";
import type { Credential } from "../../core/secrets/secret.ts";
import { minute } from "../../core/time.ts";
import { findUnfitAdministrator } from "../common/sql-server/sql-server-account.ts";
import { openConnection } from "../common/sql-server/sql-server-connection.ts";
import {
  findUnfitForSqlServer,
  findUnfitRulesForSqlServer,
  requireComplex,
  requireFit,
} from "../common/sql-server/sql-server-passwords.ts";
import { guarded } from "../guarded.ts";
import type { SettingRotator, Using } from "../rotator.ts";
import {
  changeAdministrator,
  fetchServer,
  type ResourceManagerAccess,
} from "./azure-sql-server-arm.ts";
import { examineServer } from "./azure-sql-server-examine.ts";
import {
  type AzureSqlServerOptions,
  azureSqlServerOptions,
  findHost,
} from "./azure-sql-server-options.ts";

export type { AzureSqlServerOptions };

/**
 * The administrator of a logical server of Azure SQL. Only Azure Resource Manager changes its password, with the rights of the
 * app's Azure identity. The account cannot be disabled without a new password, so this rotator has no `retire`. `seams` are for
 * tests with an emulated Azure on this machine.
 */
export function azureSqlServer(
  credential: TokenCredential,
  seams: Omit<ResourceManagerAccess, "credential"> = {},
): SettingRotator<AzureSqlServerOptions> {
  return guarded<AzureSqlServerOptions>({
    type: "azure-sql-server",
    options: azureSqlServerOptions,
    // The gateways receive a new password one after the other.
    capabilities: {
      selfService: false,
      admin: false,
      identity: true,
      propagation: 5 * minute,
    },

    endpoint: (options) => ({
      engine: "sqlserver",
      host: findHost(options),
      port: options.port,
      database: options.database,
    }),

    findUnfit: (secret) => findUnfitForSqlServer(secret.reveal()),

    findUnfitRules: findUnfitRulesForSqlServer,

    findUnfitAccount: findUnfitAdministrator,

    // `connectWithin` does not apply: the change goes to Azure, without a connection to the server itself.
    async apply({ options, next, using }, signal) {
      const where = fetchServer(options);
      requireUsable(next, where);
      requireIdentity(using, where);
      requireComplex(next, where);
      await changeAdministrator({ credential, ...seams }, options, next, signal);
      return { credential: next };
    },

    // `connectWithin` does not apply here either: the query goes to Azure.
    async examine(examine, signal) {
      requireIdentity(examine.using, fetchServer(examine.options));
      return examineServer({ credential, ...seams }, examine, signal);
    },

    async verify({ options, credential: tried, connectWithin }, signal) {
      requireUsable(tried, fetchServer(options));
      const { port, database, tls } = options;
      const host = findHost(options);
      const where = `SQL Server at ${host}:${port}, database ${database}, account ${tried.account}`;
      const place = { host, port, database, tls };
      const opened = await openConnection(place, tried, { where, signal, connectWithin });
      if (opened === "rejected") return opened;
      opened.close();
      return "accepted";
    },
  });
}

function requireIdentity(using: Using, where: string): void {
  if (using.as === "identity") return;
  throw new ConfigError(
    `${where}: only the app's Azure identity can change the password of the administrator. Set admin: managed-identity`,
  );
}

function requireUsable(credential: Credential, where: string): void {
  requireFit(credential, where);
}

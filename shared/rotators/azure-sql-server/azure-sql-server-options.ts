import { z } from "zod";
import { hostName } from "../../core/secrets/addresses.ts";
import { azurePlace, findDomain } from "../azure-admin/azure-admin-options.ts";
import { adminServices } from "../azure-admin/azure-admin-services.ts";
import type { AdminTarget } from "../azure-admin/azure-admin-target.ts";
import { isHostName } from "../common/connection/host.ts";
import { caFile } from "../common/connection/tls.ts";

export const azureSqlServerOptions = z.strictObject({
  subscription: azurePlace.subscription,
  resourceGroup: azurePlace.resourceGroup,
  /** The name of the logical server, without its domain. */
  server: z
    .string()
    .regex(
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
      "must be the name of a logical server, without the domain, in lower case",
    ),
  /** The host to log in to. Default: the public name of the server in its cloud. */
  host: z
    .string()
    .regex(new RegExp(`^${hostName}$`), { message: "must be a host name", abort: true })
    .refine(isHostName, "must be a host name")
    .exactOptional(),
  port: z.int().min(1).max(65535).default(1433),
  database: z.string().min(1).max(128).default("master"),
  resourceManager: azurePlace.resourceManager,
  /** For the log-in, which is always encrypted and verified. */
  tls: z.strictObject({ caFile }).prefault({}),
});

export type AzureSqlServerOptions = z.output<typeof azureSqlServerOptions>;

/** The server as `azure-admin` knows it. */
export function toTarget({ server, ...options }: AzureSqlServerOptions): AdminTarget {
  const { subscription, resourceGroup, resourceManager, port, database, tls } = options;
  const service = adminServices["sql-server"];
  const host = options.host ?? `${server}.${findDomain(service, resourceManager)}`;
  const place = { host, port, database, tls };
  return {
    ...{ service, subscription, resourceGroup, resourceManager, place },
    name: server,
    nameField: "server",
  };
}

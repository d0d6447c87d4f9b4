import { z } from "zod";
import { hostName, isLoopback } from "../../core/secrets/addresses.ts";
import { isHostName } from "../common/connection/host.ts";
import { caFile } from "../common/connection/tls.ts";

/** The origins of Azure Resource Manager and the domains of its SQL servers. Keyturn sends tokens to no other host. */
const clouds: Readonly<Record<string, string>> = {
  "https://management.azure.com": "database.windows.net",
  "https://management.usgovcloudapi.net": "database.usgovcloudapi.net",
  "https://management.chinacloudapi.cn": "database.chinacloudapi.cn",
};

export const azureSqlServerOptions = z.strictObject({
  subscription: z.guid("must be the id of a subscription"),
  resourceGroup: z
    .string()
    .regex(/^[\w().-]{0,89}[\w()-]$/, "must be the name of a resource group"),
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
  /** The origin of Azure Resource Manager. */
  resourceManager: z
    .string()
    .refine(isResourceManager, `must be one of ${Object.keys(clouds).join(", ")}`)
    .default("https://management.azure.com"),
  /** For the log-in, which is always encrypted and verified. */
  tls: z.strictObject({ caFile }).prefault({}),
});

export type AzureSqlServerOptions = z.output<typeof azureSqlServerOptions>;

function isResourceManager(origin: string): boolean {
  if (Object.hasOwn(clouds, origin)) return true;
  const address = URL.parse(origin);
  if (address?.protocol !== "https:") return false;
  return isLoopback(address) && address.origin === origin;
}

export function findHost({ host, server, resourceManager }: AzureSqlServerOptions): string {
  return host ?? `${server}.${clouds[resourceManager] ?? "database.windows.net"}`;
}

/** The id of the server in Azure Resource Manager. */
export function toServerId({ subscription, resourceGroup, server }: AzureSqlServerOptions): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Sql/servers/${server}`;
}

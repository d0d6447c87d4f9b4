import { z } from "zod";
import { hostName, isLoopback } from "../../core/secrets/addresses.ts";
import { caFile } from "../connection/tls.ts";

/** Where Microsoft runs Azure Resource Manager, and what its SQL servers are called there. A token goes nowhere else. */
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
  /** Name of the logical server, without domain. */
  server: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be the name of a logical server"),
  /** Where to log in. Default: the server's public name in its cloud. */
  host: z
    .string()
    .regex(new RegExp(`^${hostName}$`), "must be a host name")
    .exactOptional(),
  port: z.int().min(1).max(65535).default(1433),
  database: z.string().min(1).max(128).default("master"),
  /** Origin of Azure Resource Manager. */
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

/** Under which Azure Resource Manager knows it. */
export function serverId({ subscription, resourceGroup, server }: AzureSqlServerOptions): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.Sql/servers/${server}`;
}

import { z } from "zod";
import { caFile } from "./tls.ts";

/** Where Microsoft runs Azure Resource Manager, and what its SQL servers are called there. A token goes nowhere else. */
const clouds: Readonly<Record<string, string>> = {
  "https://management.azure.com": "database.windows.net",
  "https://management.usgovcloudapi.net": "database.usgovcloudapi.net",
  "https://management.chinacloudapi.cn": "database.chinacloudapi.cn",
};
const loopback = /^https:\/\/(?:localhost|127\.0\.0\.1)(?::\d{1,5})?$/;

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
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]*$/, "must be a host name")
    .exactOptional(),
  port: z.int().min(1).max(65535).default(1433),
  database: z.string().min(1).max(128).default("master"),
  /** Origin of Azure Resource Manager. */
  resourceManager: z
    .string()
    .refine((origin) => Object.hasOwn(clouds, origin) || loopback.test(origin), {
      message: `must be one of ${Object.keys(clouds).join(", ")}`,
    })
    .default("https://management.azure.com"),
  /** For the log-in, which is always encrypted and verified. */
  tls: z.strictObject({ caFile }).prefault({}),
});

export type AzureSqlServerOptions = z.output<typeof azureSqlServerOptions>;

export function hostOf({ host, server, resourceManager }: AzureSqlServerOptions): string {
  return host ?? `${server}.${clouds[resourceManager] ?? "database.windows.net"}`;
}

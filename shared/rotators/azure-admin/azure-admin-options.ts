import { z } from "zod";
import { isResourceManager, resourceManagers } from "../../core/secrets/addresses.ts";
import { host } from "../common/connection/host.ts";
import { caFile } from "../common/connection/tls.ts";
import type { AdminPlace } from "./azure-admin-log-in.ts";
import { type AdminService, type AdminServiceName, adminServices } from "./azure-admin-services.ts";
import type { AdminTarget } from "./azure-admin-target.ts";

/** The options that name a place in Azure. */
export const azurePlace = {
  subscription: z.guid(
    "must be the id of a subscription, a GUID; az account show --query id prints it",
  ),
  resourceGroup: z
    .string()
    .regex(/^[\w().-]{0,89}[\w()-]$/, "must be the name of a resource group"),
  /** The origin of Azure Resource Manager. */
  resourceManager: z
    .string()
    .refine(isResourceManager, `must be one of ${resourceManagers.join(", ")}`)
    .default("https://management.azure.com"),
};

const serviceNames = Object.keys(adminServices) as AdminServiceName[];

/** What people write instead. */
const otherNames: Readonly<Record<string, AdminServiceName>> = {
  "azure-sql": "sql-server",
  "azure-sql-server": "sql-server",
  sqlserver: "sql-server",
  "managed-instance": "sql-managed-instance",
  "azure-sql-managed-instance": "sql-managed-instance",
  postgres: "postgresql",
  "azure-postgresql": "postgresql",
  "azure-mysql": "mysql",
  "azure-documentdb": "documentdb",
  "cosmos-db": "documentdb",
  mongocluster: "documentdb",
  mongodb: "documentdb",
};

/** Only one service has a choice, and the schema of the field does not know which one the target has. */
const modeMessage =
  "must be strict or mandatory with service: sql-managed-instance; remove it with other services, whose TLS is always verified";

export const azureAdminOptions = z
  .strictObject({
    service: z.enum(serviceNames, {
      error: ({ input }) => {
        const service = otherNames[String(input).toLowerCase()];
        return service && `is written service: ${service}`;
      },
    }),
    ...azurePlace,
    /** The name of the server, without its domain. */
    name: z.string().regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, {
      message: "must be the name of a server, without the domain, in lower case",
      abort: true,
    }),
    /** The host to log in to. Default: the public name of the server in its cloud. */
    host: host.exactOptional(),
    /** Default: that of the service. */
    port: z.int().min(1).max(65535).exactOptional(),
    /** The database that consumers use. Default: that of the system. */
    database: z.string().min(1).max(128).exactOptional(),
    /** For the log-in, which is always encrypted and verified. `mandatory`: for instances that do not know TDS 8. */
    tls: z
      .strictObject({ mode: z.enum(["strict", "mandatory"], modeMessage).exactOptional(), caFile })
      .prefault({}),
  })
  .superRefine((options, context) => {
    const addIssue = (path: readonly PropertyKey[], message: string) => {
      context.addIssue({ code: "custom", path: [...path], message });
    };
    const service: AdminService = adminServices[options.service];
    const [least, most] = service.nameLength;
    if (options.name.length < least || options.name.length > most) {
      addIssue(
        ["name"],
        `must have ${least} to ${most} characters with service: ${options.service}`,
      );
    }
    if (options.tls.mode !== undefined && options.service !== "sql-managed-instance") {
      addIssue(["tls", "mode"], `has no effect with service: ${options.service}; remove it`);
    }
    if (options.host === undefined && service.domains === undefined) {
      const message =
        "is required with service: sql-managed-instance, whose name contains a DNS zone; write the host that the Azure portal shows, as in NAME.ZONE.database.windows.net";
      addIssue(["host"], message);
      return;
    }
    for (const { path, message } of service.logIn.findProblems(toPlace(options, service))) {
      addIssue(path, message);
    }
  });

export type AzureAdminOptions = z.output<typeof azureAdminOptions>;

/** What the services do with the options. */
export function toTarget(options: AzureAdminOptions): AdminTarget {
  const { subscription, resourceGroup, name, resourceManager } = options;
  const service = adminServices[options.service];
  const place = toPlace(options, service);
  return {
    ...{ service, subscription, resourceGroup, name, resourceManager, place },
    nameField: "name",
  };
}

function toPlace(options: AzureAdminOptions, service: AdminService): AdminPlace {
  const { name, resourceManager, port = service.logIn.port, database, tls } = options;
  return {
    host: options.host ?? `${name}.${findDomain(service, resourceManager)}`,
    port,
    ...(database !== undefined && { database }),
    tls,
  };
}

/** The domain of the service in the cloud of this Resource Manager. */
export function findDomain({ domains = ["", "", ""] }: AdminService, resourceManager: string) {
  return domains[resourceManagers.indexOf(resourceManager)] ?? domains[0];
}

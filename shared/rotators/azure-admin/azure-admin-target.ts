import type { AdminPlace } from "./azure-admin-log-in.ts";
import type { AdminService } from "./azure-admin-services.ts";

/** A server, and where consumers log in to it. */
export interface AdminTarget {
  readonly service: AdminService;
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly name: string;
  /** The field of the options that has the name. */
  readonly nameField: "name" | "server";
  /** The origin of Azure Resource Manager. */
  readonly resourceManager: string;
  readonly place: AdminPlace;
}

/** Describes the server in messages. */
export function describeServer({ service, name, resourceGroup }: AdminTarget): string {
  return `${service.noun} ${name} in resource group ${resourceGroup}`;
}

/** The id of the server in Azure Resource Manager. */
export function toServerId({ service, subscription, resourceGroup, name }: AdminTarget): string {
  return `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/${service.type}/${name}`;
}

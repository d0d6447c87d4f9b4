import { z } from "zod";
import {
  isKeyHost,
  isLoopback,
  isResourceManager,
  listKeyDomains,
  resourceManagers,
} from "../../core/secrets/addresses.ts";
import { host } from "../common/connection/host.ts";
import { doublePropagation, forDoublesOnly } from "../common/double-propagation.ts";
import { isSameType, parseResource } from "./azure-key-resource.ts";
import type { KeyService } from "./azure-key-service.ts";
import { type KeyServiceName, keyServices } from "./azure-key-services.ts";
import { findDomain, type KeyTarget, withArticle } from "./azure-key-target.ts";

const serviceNames = Object.keys(keyServices) as KeyServiceName[];

/** What people write instead, and the type or the service that has it. */
const otherNames: Readonly<Record<string, string>> = {
  "service-bus": "has keys that Keyturn chooses; use type: azure-sas-key",
  "event-hubs": "has keys that Keyturn chooses; use type: azure-sas-key",
  relay: "has keys that Keyturn chooses; use type: azure-sas-key",
  openai: "is a kind of service: cognitive",
  "azure-openai": "is a kind of service: cognitive",
  cosmos: "is written service: cosmos-db",
  "log-analytics":
    "replaces both keys at the same time, so its consumers would be cut off; use Entra instead",
  "iot-hub": "cannot regenerate the keys of its policies; use Entra or certificates instead",
};

/** The fields that both types have. */
export const keyFields = {
  /** The id of the resource, as the Azure portal and `az … show --query id` print it. */
  resource: z.string().min(1),
  /** The host of the service. Default: its public host, if that follows from its name. */
  host: host.exactOptional(),
  /** Default: that of the service. */
  port: z.int().min(1).max(65535).exactOptional(),
  /** The origin of Azure Resource Manager. */
  resourceManager: z
    .string()
    .refine(isResourceManager, `must be one of ${resourceManagers.join(", ")}`)
    .default("https://management.azure.com"),
  /** `call`: a key is proven by a request to the service. `list`: it is only compared with the list of Azure, because the app cannot reach the service. */
  proof: z.enum(["call", "list"]).default("call"),
};

export const azureKeyOptions = z
  .strictObject({
    service: z.enum(serviceNames, {
      error: ({ input }) => otherNames[String(input).toLowerCase()],
    }),
    ...keyFields,
    /** The pair of keys, where a service has two pairs. */
    keys: z.enum(["read-write", "read-only"]).default("read-write"),
    /** How long a double on this machine, which `resourceManager` and `host` name, may refuse a new key. */
    propagation: doublePropagation,
  })
  .superRefine((options, context) => {
    for (const { path, message } of findFaults(options)) {
      context.addIssue({ code: "custom", path, message });
    }
  });

export type AzureKeyOptions = z.output<typeof azureKeyOptions>;

interface Fault {
  readonly path: string[];
  readonly message: string;
}

function findFaults(options: AzureKeyOptions): readonly Fault[] {
  const service: KeyService = keyServices[options.service];
  const message = explainResource(options.resource, service);
  if (message !== undefined) return [{ path: ["resource"], message }];
  const faults: (Fault | undefined)[] = [
    options.keys === "read-only" && service.pairs["read-only"] === undefined
      ? {
          path: ["keys"],
          message: `must be read-write with service: ${options.service}, which has one pair of keys`,
        }
      : undefined,
    findHostFault(options, service),
    findPropagationFault(options),
  ];
  return faults.filter((one) => one !== undefined);
}

/** Keys of Azure are proven at `host`, so this has to be a double, too. */
function findPropagationFault({
  propagation,
  resourceManager,
  host: name = "",
}: AzureKeyOptions): Fault | undefined {
  const places = [URL.parse(resourceManager), parseHost(name)];
  const isDouble = places.every((one) => one !== null && isLoopback(one));
  return propagation === undefined || isDouble
    ? undefined
    : { path: ["propagation"], message: forDoublesOnly };
}

/** Why the text is not the id of such a resource, and what to write. */
function explainResource(text: string, service: KeyService): string | undefined {
  const { type } = service;
  const resource = parseResource(text);
  const form = `/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/${toForm(type)}`;
  if (resource === undefined)
    return `must be the id of ${withArticle(service)} in Azure, as in ${form}`;
  if (isSameType(resource.type, type)) return undefined;
  if (isSameType(`${resource.type}/databases`, type)) {
    return "is the id of the cluster; append /databases/default";
  }
  const [other] =
    Object.entries(keyServices).find(([, one]) => isSameType(one.type, resource.type)) ?? [];
  const advice = other === undefined ? `Write ${form}` : `Write service: ${other}, or another id`;
  return `is the id of a resource of type ${resource.type}, and not of ${withArticle(service)} (${type}). ${advice}`;
}

/** The type with a name after each part. */
const toForm = (type: string) =>
  type.replaceAll(/\/(\w+)/g, (part) => `${part}/${part === "/databases" ? "default" : "NAME"}`);

export function findHostFault(
  {
    host: name,
    resource,
    resourceManager,
    service: serviceName,
  }: Pick<AzureKeyOptions, "host" | "resource" | "resourceManager"> & { readonly service: string },
  service: Pick<KeyService, "system" | "toHost">,
): Fault | undefined {
  const domains = listKeyDomains(service.system).join(", ");
  if (name === undefined) {
    if (service.toHost !== undefined || resourceManager === "") return undefined;
    const first = parseResource(resource)?.names[0] ?? "NAME";
    const message = `is required with service: ${serviceName}, because it does not follow from the name; write the host that the Azure portal shows for ${first}`;
    return { path: ["host"], message };
  }
  const url = parseHost(name);
  if (url !== null && isKeyHost(url, service.system)) return undefined;
  return {
    path: ["host"],
    message: `must be in ${domains}, because Keyturn sends keys to no other host`,
  };
}

const parseHost = (name: string) => URL.parse(`https://${name.includes(":") ? `[${name}]` : name}`);

/** What the services do with the options. */
export function toTarget(options: AzureKeyOptions): KeyTarget {
  const { service: serviceName, resourceManager } = options;
  const service: KeyService = keyServices[serviceName];
  const resource = parseResource(options.resource);
  if (resource === undefined) throw new RangeError("the options were not parsed");
  const name = resource.names[0] ?? "";
  const domain = findDomain(service, resourceManager);
  return {
    ...{ service, serviceName, resource, resourceManager },
    pair: service.pairs[options.keys] ?? service.pairs["read-write"],
    host: options.host ?? service.toHost?.(name.toLowerCase(), domain) ?? "",
    port: options.port ?? service.port,
    comparesOnly: options.proof === "list",
  };
}

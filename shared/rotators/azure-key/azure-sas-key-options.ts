import { z } from "zod";
import { minute } from "../../core/time.ts";
import { findHostFault, keyFields } from "./azure-key-options.ts";
import { makeBusProof } from "./azure-key-proofs.ts";
import { isSameType, type KeyResource, parseResource, toParentId } from "./azure-key-resource.ts";
import { inField, type KeyPair, type KeyService, readFields } from "./azure-key-service.ts";
import { findDomain, type KeyTarget } from "./azure-key-target.ts";

/** Facts about one service whose rules have keys that may be chosen. */
interface BusService {
  readonly noun: string;
  readonly provider: string;
  readonly apiVersion: string;
  readonly role: string;
  /** What below a namespace may have rules. */
  readonly entities: readonly string[];
  /** The path that describes a namespace, and the version of the requests. Absent: no request proves a key without a change. */
  readonly proof?: { readonly path: string; readonly apiVersion: string };
}

/** The services by their names in the options, with the facts of the packages in brackets. */
const busServices = {
  // azure-mgmt-servicebus 10.0.0 on PyPI, @azure/service-bus 7.9.5
  "service-bus": {
    noun: "Service Bus",
    provider: "Microsoft.ServiceBus",
    apiVersion: "2026-01-01",
    role: "Azure Service Bus Data Owner",
    entities: ["queues", "topics"],
    proof: { path: "$namespaceinfo", apiVersion: "2021-05" },
  },
  // azure-mgmt-eventhub 12.0.0 on PyPI
  "event-hubs": {
    noun: "Event Hubs",
    provider: "Microsoft.EventHub",
    apiVersion: "2026-01-01",
    role: "Azure Event Hubs Data Owner",
    entities: ["eventhubs"],
    proof: { path: "$Resources/EventHubs", apiVersion: "2014-01" },
  },
  // azure-mgmt-relay 2.1.0 on PyPI
  relay: {
    noun: "Relay",
    provider: "Microsoft.Relay",
    apiVersion: "2026-01-01",
    role: "Azure Relay Owner",
    entities: ["hybridConnections", "wcfRelays"],
  },
} as const satisfies Readonly<Record<string, BusService>>;

export type BusServiceName = keyof typeof busServices;
export const busServiceNames = Object.keys(busServices) as BusServiceName[];

/** What may have rules in a namespace, as ids name it. */
export const listEntities = (service: BusServiceName): readonly string[] =>
  busServices[service].entities;

const pair: KeyPair = [
  { name: "primary", sent: "PrimaryKey", listed: "primaryKey" },
  { name: "secondary", sent: "SecondaryKey", listed: "secondaryKey" },
];

export const azureSasKeyOptions = z
  .strictObject({ service: z.enum(busServiceNames), ...keyFields })
  .superRefine((options, context) => {
    const bus: BusService = busServices[options.service];
    const message = explainRule(options.resource, bus);
    const fault =
      message === undefined
        ? findHostFault(options, { system: "bus", toHost: () => "" })
        : { path: ["resource"], message };
    if (fault) context.addIssue({ code: "custom", ...fault });
  });

export type AzureSasKeyOptions = z.output<typeof azureSasKeyOptions>;

/** The types of the rules of the service. */
const listTypes = ({ provider, entities }: BusService): readonly string[] => [
  `${provider}/namespaces/authorizationRules`,
  ...entities.map((entity) => `${provider}/namespaces/${entity}/authorizationRules`),
];

function explainRule(text: string, bus: BusService): string | undefined {
  const resource = parseResource(text);
  if (resource && listTypes(bus).some((type) => isSameType(type, resource.type))) return undefined;
  const form = `/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/${bus.provider}/namespaces/NAME/authorizationRules/RULE`;
  const entity = `…/namespaces/NAME/${bus.entities[0] ?? ""}/NAME/authorizationRules/RULE`;
  return `must be the id of a shared access policy of ${bus.noun} in Azure, as in ${form} or ${entity}`;
}

/** The rule as a resource with keys. */
export function toTarget(options: AzureSasKeyOptions): KeyTarget {
  const bus: BusService = busServices[options.service];
  const resource = parseResource(options.resource);
  if (resource === undefined) throw new RangeError("the options were not parsed");
  const service = toService(bus, resource);
  const namespace = resource.names[0]?.toLowerCase() ?? "";
  const { resourceManager } = options;
  return {
    ...{ service, serviceName: options.service, resource, pair, resourceManager },
    host: options.host ?? `${namespace}.${findDomain(service, resourceManager)}`,
    port: options.port ?? 443,
    comparesOnly: options.proof === "list",
  };
}

function toService(bus: BusService, resource: KeyResource): KeyService {
  const rule = resource.names.at(-1) ?? "";
  const entity = resource.names.length > 2 ? resource.names[1] : undefined;
  // Entities with slashes in their names have tildes in their ids.
  const path = entity?.replaceAll("~", "/");
  const { proof, noun, role, apiVersion } = bus;
  return {
    ...{ noun: `shared access policy of ${noun}`, apiVersion, role },
    type: listTypes(bus).find((type) => isSameType(type, resource.type)) ?? resource.type,
    system: "bus",
    pairs: { "read-write": pair },
    list: "listKeys",
    regenerate: "regenerateKeys",
    toChange: inField("keyType"),
    readList: readFields(),
    isOff: ({ disableLocalAuth }) => disableLocalAuth === true,
    switchOn: "az resource update --ids ID --set properties.disableLocalAuth=false",
    findEndpoint: ({ serviceBusEndpoint }) => serviceBusEndpoint,
    port: 443,
    ...(proof && { proof: makeBusProof(rule, path ?? proof.path, proof.apiVersion) }),
    toText: ({ host, key }) =>
      `Endpoint=sb://${host}/;SharedAccessKeyName=${rule};SharedAccessKey=${key}${path === undefined ? "" : `;EntityPath=${path}`}`,
    settleTime: 15 * minute,
    propagation: 5 * minute,
  };
}

/** The namespace of the rule, whose settings apply to all its rules. */
export function toNamespace(target: KeyTarget): KeyTarget {
  const { service, resource } = target;
  const [provider = ""] = service.type.split("/");
  const id = toParentId(resource, 1);
  const [name = ""] = resource.names;
  return {
    ...target,
    service: { ...service, type: `${provider}/namespaces` },
    resource: { ...resource, id, type: `${provider}/namespaces`, names: [name] },
  };
}

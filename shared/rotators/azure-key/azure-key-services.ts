import { hour, minute } from "../../core/time.ts";
import { proofs } from "./azure-key-proofs.ts";
import type { KeyProperties } from "./azure-key-properties.ts";
import {
  inField,
  type KeyPair,
  type KeyParts,
  type KeyService,
  readEntries,
  readFields,
} from "./azure-key-service.ts";

const pair = (
  [first, second]: readonly [string, string],
  sent: readonly [string, string] = [first, second],
  listed: readonly [string, string] = [first, second],
): KeyPair => [
  { name: first, sent: sent[0], listed: listed[0] },
  { name: second, sent: sent[1], listed: listed[1] },
];

const ordinals = ["primary", "secondary"] as const;
const capitals = ["Primary", "Secondary"] as const;
const ordinalKeys = ["primaryKey", "secondaryKey"] as const;
const numbers = ["key1", "key2"] as const;

const isLocalAuthOff = ({ disableLocalAuth }: KeyProperties) => disableLocalAuth === true;

/** A request without an operation is over when its answer is there; the rest is margin. */
const atOnce = { settleTime: 15 * minute, propagation: 5 * minute } as const;

/** The longest time that a request with an operation is given. */
const withOperation = { settleTime: 2 * hour, propagation: 5 * minute } as const;

const https = { port: 443 } as const;

const switchOn = (property: string, value: string) =>
  `az resource update --ids ID --set properties.${property}=${value}`;

const localAuth = {
  isOff: isLocalAuthOff,
  switchOn: switchOn("disableLocalAuth", "false"),
} as const;

const toHub = ({ host, key }: KeyParts) => `Endpoint=https://${host};AccessKey=${key};Version=1.0;`;

const toRedis = ({ host, port, key }: KeyParts) =>
  `${host}:${port},password=${key},ssl=True,abortConnect=False`;

/** An account in a DNS zone has no common suffix. */
function toStorageText({ name, host, port, key }: KeyParts): string {
  const [, suffix] = /^[^.]+\.(?:blob|file|queue|table|dfs)\.(core\..+)$/.exec(host) ?? [];
  const place =
    suffix === undefined ? `BlobEndpoint=https://${host}:${port}/` : `EndpointSuffix=${suffix}`;
  return `DefaultEndpointsProtocol=https;AccountName=${name.toLowerCase()};AccountKey=${key};${place}`;
}

const hub = {
  ...{ ...https, ...localAuth, ...withOperation },
  role: "SignalR/Web PubSub Contributor",
  pairs: { "read-write": pair(ordinals, capitals, ordinalKeys) },
  list: "listKeys",
  regenerate: "regenerateKey",
  // The type has a third value, Salt, which would end all other tokens.
  toChange: inField("keyType"),
  readList: readFields(),
  findEndpoint: ({ hostName }) => hostName && `https://${hostName}/`,
  toHost: (name, domain) => `${name}.${domain}`,
  toText: toHub,
} as const satisfies Partial<KeyService>;

const grid = {
  ...{ ...https, ...localAuth },
  apiVersion: "2025-02-15",
  role: "EventGrid Contributor",
  system: "event-grid",
  pairs: { "read-write": pair(numbers) },
  list: "listKeys",
  regenerate: "regenerateKey",
  toChange: inField("keyName"),
  readList: readFields(),
  findEndpoint: ({ endpoint }) => endpoint,
  proof: proofs.eventGrid,
} as const satisfies Partial<KeyService>;

/**
 * The services by their names in the options, with the facts of the specifications that the ARM packages contain (in brackets). Log Analytics
 * is not among them, because it replaces both keys at once; nor is IoT Hub, which cannot regenerate a key.
 */
export const keyServices = {
  // @azure/arm-storage 21.0.0
  storage: {
    ...https,
    noun: "storage account",
    type: "Microsoft.Storage/storageAccounts",
    apiVersion: "2026-09-01",
    role: "Storage Account Contributor",
    system: "storage",
    pairs: { "read-write": pair(numbers) },
    list: "listKeys",
    regenerate: "regenerateKey",
    toChange: inField("keyName"),
    readList: readEntries("keys"),
    isOff: ({ allowSharedKeyAccess }) => allowSharedKeyAccess === false,
    switchOn: switchOn("allowSharedKeyAccess", "true"),
    toHost: (name, domain) => `${name}.blob.${domain}`,
    findEndpoint: ({ primaryEndpoints: at }) => at?.blob ?? at?.file ?? at?.queue ?? at?.table,
    proof: proofs.storage,
    toText: toStorageText,
    settleTime: 15 * minute,
    propagation: minute,
  },
  // @azure/arm-cosmosdb 17.0.0. A new key reaches the regions of a large account after hours.
  "cosmos-db": {
    ...{ ...https, ...localAuth },
    noun: "Azure Cosmos DB account",
    type: "Microsoft.DocumentDB/databaseAccounts",
    apiVersion: "2026-03-15",
    role: "DocumentDB Account Contributor",
    system: "cosmos-db",
    pairs: {
      "read-write": pair(ordinals, ordinals, ["primaryMasterKey", "secondaryMasterKey"]),
      "read-only": pair(
        ["primaryReadonly", "secondaryReadonly"],
        ["primaryReadonly", "secondaryReadonly"],
        ["primaryReadonlyMasterKey", "secondaryReadonlyMasterKey"],
      ),
    },
    list: "listKeys",
    regenerate: "regenerateKey",
    toChange: inField("keyKind"),
    readList: readFields(),
    findUnfit: ({ kind }) =>
      kind === "MongoDB"
        ? "is of kind MongoDB, whose clients need another connection string and another host than Keyturn would publish. Remove the target, and rotate the key by hand or move to Azure DocumentDB"
        : undefined,
    findCreated: ({ keysMetadata }, { listed }) => keysMetadata?.[listed]?.generationTime,
    toHost: (name, domain) => `${name}.${domain}`,
    findEndpoint: ({ documentEndpoint }) => documentEndpoint,
    proof: proofs.cosmos,
    toText: ({ host, key }) => `AccountEndpoint=https://${host}:443/;AccountKey=${key};`,
    settleTime: 24 * hour,
    propagation: 24 * hour,
  },
  // @azure/arm-cognitiveservices 8.1.0. Azure OpenAI is a kind of it.
  cognitive: {
    ...{ ...https, ...localAuth, ...atOnce },
    noun: "Azure AI services account",
    type: "Microsoft.CognitiveServices/accounts",
    apiVersion: "2025-09-01",
    role: "Cognitive Services Contributor",
    system: "cognitive",
    pairs: { "read-write": pair(numbers, ["Key1", "Key2"]) },
    list: "listKeys",
    regenerate: "regenerateKey",
    toChange: inField("keyName"),
    readList: readFields(),
    findEndpoint: ({ endpoint }) => endpoint,
    proof: proofs.cognitive,
  },
  // @azure/arm-search 3.3.0. The request names the key in its path.
  search: {
    ...{ ...https, ...localAuth, ...atOnce },
    noun: "Azure AI Search service",
    type: "Microsoft.Search/searchServices",
    apiVersion: "2025-05-01",
    role: "Search Service Contributor",
    system: "search",
    pairs: { "read-write": pair(ordinals, ordinals, ordinalKeys) },
    list: "listAdminKeys",
    regenerate: "regenerateAdminKey",
    toChange: ({ sent }) => ({ path: `/${sent}` }),
    readList: readFields(),
    toHost: (name, domain) => `${name}.${domain}`,
    findEndpoint: ({ endpoint }) => endpoint,
    proof: proofs.search,
  },
  // @azure/arm-rediscache 8.2.0
  redis: {
    ...atOnce,
    noun: "Azure Cache for Redis",
    type: "Microsoft.Cache/redis",
    apiVersion: "2024-11-01",
    role: "Redis Cache Contributor",
    system: "redis",
    pairs: { "read-write": pair(ordinals, capitals, ordinalKeys) },
    list: "listKeys",
    regenerate: "regenerateKey",
    toChange: inField("keyType"),
    readList: readFields(),
    isOff: ({ disableAccessKeyAuthentication }) => disableAccessKeyAuthentication === true,
    switchOn: switchOn("disableAccessKeyAuthentication", "false"),
    toHost: (name, domain) => `${name}.${domain}`,
    findEndpoint: () => undefined,
    port: 6380,
    proof: proofs.redis,
    toText: toRedis,
  },
  // azure-mgmt-redisenterprise 3.1.0 on PyPI: the package on npm does not know whether keys are switched on.
  "managed-redis": {
    ...withOperation,
    noun: "database of Azure Managed Redis",
    type: "Microsoft.Cache/redisEnterprise/databases",
    apiVersion: "2025-07-01",
    role: "Azure Managed Redis Contributor",
    system: "managed-redis",
    pairs: { "read-write": pair(ordinals, capitals, ordinalKeys) },
    list: "listKeys",
    regenerate: "regenerateKey",
    toChange: inField("keyType"),
    readList: readFields(),
    isOff: ({ accessKeysAuthentication }) => accessKeysAuthentication === "Disabled",
    switchOn: switchOn("accessKeysAuthentication", "Enabled"),
    findEndpoint: () => undefined,
    port: 10_000,
    proof: proofs.redis,
    toText: toRedis,
  },
  // @azure/arm-signalr 5.2.0
  signalr: {
    ...hub,
    noun: "Azure SignalR Service",
    type: "Microsoft.SignalRService/signalR",
    apiVersion: "2023-02-01",
    system: "signalr",
    proof: proofs.signalr,
  },
  // @azure/arm-webpubsub 1.2.0
  "web-pubsub": {
    ...hub,
    noun: "Azure Web PubSub service",
    type: "Microsoft.SignalRService/webPubSub",
    apiVersion: "2024-03-01",
    system: "web-pubsub",
    proof: proofs.webPubSub,
  },
  // azure-mgmt-eventgrid 10.4.0 on PyPI
  "event-grid-topic": {
    ...{ ...grid, ...withOperation },
    noun: "Event Grid topic",
    type: "Microsoft.EventGrid/topics",
  },
  "event-grid-domain": {
    ...{ ...grid, ...atOnce },
    noun: "Event Grid domain",
    type: "Microsoft.EventGrid/domains",
  },
  // azure-mgmt-appconfiguration 5.0.0 on PyPI. A key is of no use without its id.
  "app-configuration": {
    ...{ ...https, ...localAuth, ...atOnce },
    noun: "App Configuration store",
    type: "Microsoft.AppConfiguration/configurationStores",
    apiVersion: "2024-06-01",
    role: "App Configuration Contributor",
    system: "app-configuration",
    pairs: {
      "read-write": pair(ordinals, capitals, capitals),
      "read-only": pair(
        ["primaryReadonly", "secondaryReadonly"],
        ["Primary Read Only", "Secondary Read Only"],
        ["Primary Read Only", "Secondary Read Only"],
      ),
    },
    list: "listKeys",
    regenerate: "regenerateKey",
    toChange: (_key, { id }) => ({ body: { id } }),
    readList: readEntries("value"),
    toHost: (name, domain) => `${name}.${domain}`,
    findEndpoint: ({ endpoint }) => endpoint,
    proof: proofs.appConfiguration,
    toText: ({ host, id, key }) => `Endpoint=https://${host};Id=${id};Secret=${key}`,
    hasIds: true,
  },
  // azure-mgmt-batch 19.0.0 on PyPI
  batch: {
    ...{ ...https, ...atOnce },
    noun: "Batch account",
    type: "Microsoft.Batch/batchAccounts",
    apiVersion: "2025-06-01",
    role: "Azure Batch Account Contributor",
    system: "batch",
    pairs: { "read-write": pair(ordinals, capitals, ordinals) },
    list: "listKeys",
    regenerate: "regenerateKeys",
    toChange: inField("keyName"),
    readList: readFields(),
    isOff: ({ allowedAuthenticationModes: modes }) => modes?.includes("SharedKey") === false,
    // The list may have other modes, which stay.
    switchOn: "az resource update --ids ID --add properties.allowedAuthenticationModes SharedKey",
    findEndpoint: ({ accountEndpoint }) => accountEndpoint && `https://${accountEndpoint}/`,
    proof: proofs.batch,
  },
  // @azure/arm-maps 3.1.0
  maps: {
    ...{ ...https, ...localAuth, ...atOnce },
    noun: "Azure Maps account",
    type: "Microsoft.Maps/accounts",
    apiVersion: "2023-06-01",
    role: "Azure Maps Contributor",
    system: "maps",
    pairs: { "read-write": pair(ordinals, ordinals, ordinalKeys) },
    list: "listKeys",
    regenerate: "regenerateKey",
    toChange: inField("keyType"),
    readList: readFields("LastUpdated"),
    toHost: (_name, domain) => domain,
    findEndpoint: () => undefined,
    proof: proofs.maps,
  },
  // @azure/arm-containerregistry 12.0.0
  "container-registry": {
    ...{ ...https, ...atOnce },
    noun: "container registry",
    type: "Microsoft.ContainerRegistry/registries",
    apiVersion: "2025-11-01",
    role: "Container Registry Contributor and Data Access Configuration Administrator",
    system: "container-registry",
    pairs: { "read-write": pair(["password", "password2"]) },
    list: "listCredentials",
    regenerate: "regenerateCredential",
    toChange: inField("name"),
    readList: readEntries("passwords"),
    isOff: ({ adminUserEnabled }) => adminUserEnabled !== true,
    switchOn: switchOn("adminUserEnabled", "true"),
    toHost: (name, domain) => `${name}.${domain}`,
    findEndpoint: ({ loginServer }) => loginServer && `https://${loginServer}/`,
    proof: proofs.registry,
  },
} as const satisfies Readonly<Record<string, KeyService>>;

export type KeyServiceName = keyof typeof keyServices;

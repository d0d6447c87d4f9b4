import type { ArmKey } from "./key-store.ts";
import { asFields, type KeyRow, keyService, toTime } from "./keys.ts";
import type { ArmResource, ArmService } from "./state.ts";

/** What most of the services have in common. */
const common = {
  operations: { status: "operationsStatus", result: "operationsResults" },
  list: "listKeys",
  regenerate: "regenerateKey",
  show: asFields,
} as const satisfies Partial<KeyRow>;

const ordinals = { primaryKey: "Primary", secondaryKey: "Secondary" };

const describeLocal = ({ entraOnly = false }: ArmResource) => ({ disableLocalAuth: entraOnly });

const showHub: KeyRow["show"] = (keys) => ({
  ...asFields(keys),
  primaryConnectionString: "Endpoint=https://other;AccessKey=other;Version=1.0;",
});

const hub = {
  ...common,
  keys: ordinals,
  namedBy: { field: "keyType" },
  show: showHub,
  answers: "empty operation",
  describe: describeLocal,
} as const satisfies Partial<KeyRow>;

const grid = {
  ...common,
  apiVersion: "2025-02-15",
  keys: { key1: "key1", key2: "key2" },
  namedBy: { field: "keyName" },
  describe: describeLocal,
} as const satisfies Partial<KeyRow>;

const showStorage = (keys: ReadonlyMap<string, ArmKey>) => ({
  keys: Array.from(keys, ([keyName, key]) => ({
    ...{ keyName, value: key.value, permissions: "Full", creationTime: toTime(key) },
  })),
});

const bus = {
  ...common,
  apiVersion: "2026-01-01",
  regenerate: "regenerateKeys",
  keys: { primaryKey: "PrimaryKey", secondaryKey: "SecondaryKey" },
  namedBy: { field: "keyType" },
  show: (keys) => ({ ...asFields(keys), keyName: "rule" }),
  answers: "keys",
  takesKey: true,
  describe: () => ({ rights: ["Manage", "Send", "Listen"] }),
} as const satisfies Partial<KeyRow>;

/** A namespace has no keys, but its settings apply to its rules. */
const namespaceOf = (provider: string): ArmService => ({
  type: `${provider}/namespaces`,
  apiVersion: bus.apiVersion,
  operations: bus.operations,
  routes: [
    {
      method: "GET",
      path: "",
      effect: "get",
      action: `${provider}/namespaces/read`,
      run: ({ id, resource: { entraOnly = false, properties } }) => ({
        status: 200,
        body: {
          id,
          properties: {
            ...{ provisioningState: "Succeeded", status: "Active", disableLocalAuth: entraOnly },
            ...properties,
          },
        },
      }),
    },
  ],
});

/** The policies of something in a namespace. */
const policiesOf = (type: string) => keyService({ ...bus, type: `${type}/authorizationRules` });

/** The services with keys. The shapes are those of the mappers and models of the ARM packages that each row names. */
export const keyServices = {
  // npm @azure/arm-storage 21.0.0, storageAccounts
  storage: keyService({
    ...common,
    type: "Microsoft.Storage/storageAccounts",
    apiVersion: "2026-09-01",
    keys: { key1: "key1", key2: "key2" },
    namedBy: { field: "keyName" },
    show: showStorage,
    answers: "keys",
    describe: ({ entraOnly = false, name }) => ({
      allowSharedKeyAccess: !entraOnly,
      primaryEndpoints: { blob: `https://${name}.blob.core.windows.net/` },
    }),
  }),
  // npm @azure/arm-cosmosdb 17.0.0, databaseAccounts: the operation has no result
  "cosmos-db": keyService({
    ...common,
    type: "Microsoft.DocumentDB/databaseAccounts",
    apiVersion: "2026-03-15",
    keys: {
      primaryMasterKey: "primary",
      secondaryMasterKey: "secondary",
      primaryReadonlyMasterKey: "primaryReadonly",
      secondaryReadonlyMasterKey: "secondaryReadonly",
    },
    namedBy: { field: "keyKind" },
    answers: "empty operation",
    describe: ({ keys, ...resource }) => ({
      ...describeLocal(resource),
      keysMetadata: Object.fromEntries(
        Array.from(keys?.now ?? [], ([name, key]) => [name, { generationTime: toTime(key) }]),
      ),
    }),
  }),
  // npm @azure/arm-cognitiveservices 8.1.0, accounts
  cognitive: keyService({
    ...common,
    type: "Microsoft.CognitiveServices/accounts",
    apiVersion: "2025-09-01",
    keys: { key1: "Key1", key2: "Key2" },
    namedBy: { field: "keyName" },
    answers: "keys",
    describe: describeLocal,
    off: {
      status: 400,
      code: "BadRequest",
      message: "Failed to list key. disableLocalAuth is set to be true",
    },
  }),
  // npm @azure/arm-search 3.3.0, adminKeys
  search: keyService({
    ...common,
    type: "Microsoft.Search/searchServices",
    apiVersion: "2025-05-01",
    list: "listAdminKeys",
    regenerate: "regenerateAdminKey",
    keys: { primaryKey: "primary", secondaryKey: "secondary" },
    namedBy: "path",
    answers: "keys",
    describe: (service) => ({
      ...describeLocal(service),
      provisioningState: "succeeded",
      status: "running",
    }),
  }),
  // npm @azure/arm-rediscache 8.2.0, redis
  redis: keyService({
    ...common,
    type: "Microsoft.Cache/redis",
    apiVersion: "2024-11-01",
    keys: ordinals,
    namedBy: { field: "keyType" },
    answers: "keys",
    describe: ({ entraOnly = false }) => ({ disableAccessKeyAuthentication: entraOnly }),
  }),
  // PyPI azure-mgmt-redisenterprise 3.1.0, databases
  "managed-redis": keyService({
    ...common,
    type: "Microsoft.Cache/redisEnterprise/databases",
    apiVersion: "2025-07-01",
    keys: ordinals,
    namedBy: { field: "keyType" },
    answers: "operation",
    describe: ({ entraOnly = false }) => ({
      resourceState: "Running",
      accessKeysAuthentication: entraOnly ? "Disabled" : "Enabled",
    }),
  }),
  // npm @azure/arm-signalr 5.2.0, signalR
  signalr: keyService({
    ...hub,
    type: "Microsoft.SignalRService/signalR",
    apiVersion: "2023-02-01",
    operations: { status: "signalROperationStatuses", result: "signalROperationResults" },
  }),
  // npm @azure/arm-webpubsub 1.2.0, webPubSub
  "web-pubsub": keyService({
    ...hub,
    type: "Microsoft.SignalRService/webPubSub",
    apiVersion: "2024-03-01",
    operations: { status: "webPubSubOperationStatuses", result: "webPubSubOperationResults" },
  }),
  // PyPI azure-mgmt-eventgrid 10.4.0, topics: an operation with `Location` only
  "event-grid-topic": keyService({
    ...grid,
    type: "Microsoft.EventGrid/topics",
    operations: { ...common.operations, onlyLocation: true },
    answers: "operation",
  }),
  // PyPI azure-mgmt-eventgrid 10.4.0, domains: no operation
  "event-grid-domain": keyService({
    ...grid,
    type: "Microsoft.EventGrid/domains",
    answers: "keys",
  }),
  // PyPI azure-mgmt-appconfiguration 5.0.0, configuration_stores: the answer is one key
  "app-configuration": keyService({
    ...common,
    type: "Microsoft.AppConfiguration/configurationStores",
    apiVersion: "2024-06-01",
    keys: {
      Primary: "",
      Secondary: "",
      "Primary Read Only": "",
      "Secondary Read Only": "",
    },
    namedBy: "id",
    show: (keys) => ({
      value: Array.from(keys, ([name, { id, value, ...key }]) => ({
        ...{ id, name, value, connectionString: `Id=${id};Secret=${value}` },
        ...{ lastModified: toTime({ id, value, ...key }), readOnly: name.endsWith("Only") },
      })),
    }),
    answers: "one key",
    describe: describeLocal,
  }),
  // PyPI azure-mgmt-batch 19.0.0, batch_account
  batch: keyService({
    ...common,
    type: "Microsoft.Batch/batchAccounts",
    apiVersion: "2025-06-01",
    regenerate: "regenerateKeys",
    keys: { primary: "Primary", secondary: "Secondary" },
    namedBy: { field: "keyName" },
    show: (keys) => ({ accountName: "account", ...asFields(keys) }),
    answers: "keys",
    describe: ({ entraOnly = false }) => ({
      allowedAuthenticationModes: entraOnly ? ["AAD"] : ["SharedKey", "AAD"],
    }),
    off: { status: 403, code: "SharedKeyAuthNotAllowed", message: "Shared key is not allowed." },
  }),
  // npm @azure/arm-maps 3.1.0, accounts
  maps: keyService({
    ...common,
    type: "Microsoft.Maps/accounts",
    apiVersion: "2023-06-01",
    keys: { primaryKey: "primary", secondaryKey: "secondary" },
    namedBy: { field: "keyType" },
    show: (keys) => ({
      ...asFields(keys),
      ...Object.fromEntries(Array.from(keys, ([name, key]) => [`${name}LastUpdated`, toTime(key)])),
    }),
    answers: "keys",
    describe: describeLocal,
  }),
  // npm @azure/arm-containerregistry 12.0.0, registries
  "container-registry": keyService({
    ...common,
    type: "Microsoft.ContainerRegistry/registries",
    apiVersion: "2025-11-01",
    list: "listCredentials",
    regenerate: "regenerateCredential",
    keys: { password: "password", password2: "password2" },
    namedBy: { field: "name" },
    show: (keys) => ({
      username: "registry",
      passwords: Array.from(keys, ([name, { value }]) => ({ name, value })),
    }),
    answers: "keys",
    describe: ({ entraOnly = false }) => ({ adminUserEnabled: !entraOnly }),
    off: {
      status: 400,
      code: "UnAuthorizedForCredentialOperations",
      message: "Cannot perform credential operations as admin user is disabled.",
    },
  }),
  // PyPI azure-mgmt-servicebus 10.0.0, namespaces, queues and topics
  "service-bus": keyService({ ...bus, type: "Microsoft.ServiceBus/namespaces/AuthorizationRules" }),
  "service-bus/queues": policiesOf("Microsoft.ServiceBus/namespaces/queues"),
  "service-bus/topics": policiesOf("Microsoft.ServiceBus/namespaces/topics"),
  "service-bus-namespace": namespaceOf("Microsoft.ServiceBus"),
  // PyPI azure-mgmt-eventhub 12.0.0, namespaces and event_hubs
  "event-hubs": keyService({ ...bus, type: "Microsoft.EventHub/namespaces/authorizationRules" }),
  "event-hubs/eventhubs": policiesOf("Microsoft.EventHub/namespaces/eventhubs"),
  "event-hubs-namespace": namespaceOf("Microsoft.EventHub"),
  // PyPI azure-mgmt-relay 2.1.0, namespaces, hybrid_connections and wcf_relays
  relay: keyService({ ...bus, type: "Microsoft.Relay/namespaces/authorizationRules" }),
  "relay/hybridConnections": policiesOf("Microsoft.Relay/namespaces/hybridConnections"),
  "relay/wcfRelays": policiesOf("Microsoft.Relay/namespaces/wcfRelays"),
  "relay-namespace": namespaceOf("Microsoft.Relay"),
} satisfies Readonly<Record<string, ArmService>>;

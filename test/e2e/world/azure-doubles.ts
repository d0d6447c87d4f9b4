import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ArmKeys, makeArmKeys } from "../../../local/azure/arm/key-store.ts";
import type { IdentityEndpoint } from "../../../local/identity/endpoint.ts";
import { type ArmDouble, type ArmRole, startArmDouble } from "../../doubles/arm/server.ts";
import { localCertificate } from "../../doubles/certificate.ts";
import { type GraphDouble, type GraphRole, startGraphDouble } from "../../doubles/graph/server.ts";
import { type KeyPlane, startKeyPlane } from "../../doubles/keys/plane.ts";
import { publishedName } from "./targets.ts";
import { asJson, type World } from "./world.ts";

/** One resource with keys, in an Azure Resource Manager of its own. */
export interface KeyDouble {
  readonly arm: ArmDouble;
  readonly keys: ArmKeys;
  readonly plane: KeyPlane;
  /** From now on, the service refuses keys that are created later, until the function is called. */
  lag(): () => void;
}

/** Emulated resources of Azure that the app's identity may change, and two that it may only read. All repeat secrets in their errors. */
export interface AzureDoubles {
  readonly storage: KeyDouble;
  readonly openai: KeyDouble;
  readonly bus: KeyDouble;
  readonly app: GraphDouble;
  /** The targets, by their ids. */
  readonly targets: Readonly<Record<string, object>>;
  /** Publishes what consumers would read now, and lets the app's identity in. */
  seed(world: World): Promise<void>;
  /** Lets the app trust the certificates of the doubles. */
  trust(folder: string): Promise<Readonly<Record<string, string>>>;
  /** Every key, client secret, signature and token that has existed. */
  everySecret(): Iterable<string>;
  close(): Promise<void>;
}

interface Kind {
  readonly type: "azure-key" | "azure-sas-key";
  readonly service: string;
  /** The names of the keys in the list. */
  readonly listed: readonly [string, string];
  readonly id: string;
  readonly as: "json" | "connection-string";
  /** What consumers read, with the key. */
  readonly toText: (key: string, port: number) => string;
}

const makeStorage = (name: string): Kind => ({
  ...{ type: "azure-key", service: "storage", as: "connection-string" },
  listed: ["key1", "key2"],
  id: `Microsoft.Storage/storageAccounts/${name}`,
  toText: (key, port) =>
    `DefaultEndpointsProtocol=https;AccountName=${name};AccountKey=${key};BlobEndpoint=https://localhost:${port}/`,
});

const kinds = {
  storage: makeStorage("orders"),
  locked: makeStorage("locked"),
  openai: {
    ...{ type: "azure-key", service: "cognitive", as: "json" },
    listed: ["key1", "key2"],
    id: "Microsoft.CognitiveServices/accounts/orders",
    toText: (key) => asJson("key1", key),
  },
  bus: {
    ...{ type: "azure-sas-key", service: "service-bus", as: "connection-string" },
    listed: ["primaryKey", "secondaryKey"],
    id: "Microsoft.ServiceBus/namespaces/orders/authorizationRules/app",
    toText: (key) => `Endpoint=sb://localhost/;SharedAccessKeyName=app;SharedAccessKey=${key}`,
  },
} as const satisfies Readonly<Record<string, Kind>>;

const resourceGroup = "rg-orders";

type KeyRow = readonly [id: string, kind: Kind, double: KeyDouble, role: ArmRole];
type AppRow = readonly [id: string, double: GraphDouble, role: GraphRole];

/** A rotation that the identity may not make is not tried often. */
const toCommon = (role: ArmRole | GraphRole) => ({
  grace: "0s",
  overrides: {
    reason: "many failures",
    retry: { attempts: role === "reader" ? 2 : 30, every: "1s", thenEvery: "1h" },
  },
});

export async function startAzureDoubles(): Promise<AzureDoubles> {
  const [storage, openai, bus, locked] = await Promise.all([
    startKeyDouble(kinds.storage),
    startKeyDouble(kinds.openai),
    startKeyDouble(kinds.bus),
    startKeyDouble(kinds.locked),
  ]);
  const [app, ruled] = await Promise.all([
    startGraphDouble({ hostile: true }),
    startGraphDouble({ hostile: true }),
  ]);
  const resources: readonly KeyRow[] = [
    ["storage", kinds.storage, storage, "contributor"],
    ["openai", kinds.openai, openai, "contributor"],
    ["bus", kinds.bus, bus, "contributor"],
    ["locked-storage", kinds.locked, locked, "reader"],
  ];
  const applications: readonly AppRow[] = [
    ["app", app, "owner"],
    ["ruled-app", ruled, "reader"],
  ];
  const tokens = new Set<string>();
  const issue = (identity: IdentityEndpoint, origin: string): string => {
    const { token } = identity.issue(origin);
    tokens.add(token);
    return token;
  };

  return {
    ...{ storage, openai, bus, app },
    targets: Object.fromEntries([
      ...resources.map((row) => [row[0], toKeyTarget(row)]),
      ...applications.map((row) => [row[0], toAppTarget(row)]),
    ]) as Record<string, object>,
    async seed(world) {
      for (const [id, { toText, listed }, { arm, keys, plane }, role] of resources) {
        const value = keys.now.get(listed[0])?.value ?? "";
        await world.store(publishedName(id), toText(value, plane.port));
        arm.admit(issue(world.identity, arm.endpoint), role);
      }
      for (const [id, graph, role] of applications) {
        const { text } = graph.put();
        await world.store(publishedName(id), asJson(graph.application.appId, text));
        graph.admit(issue(world.identity, graph.graph), role);
      }
    },
    async trust(folder) {
      const file = join(folder, "doubles.pem");
      await writeFile(file, (await localCertificate()).cert);
      return { NODE_EXTRA_CA_CERTS: file };
    },
    everySecret: () => [
      ...tokens,
      ...resources.flatMap(([, , { keys, plane }]) => [...keys.ever, ...plane.received]),
      ...applications.flatMap(([, { application, logIns }]) => [
        ...application.ever,
        ...logIns.issued,
      ]),
    ],
    async close() {
      const keyDoubles = resources.flatMap(([, , { arm, plane }]) => [arm, plane]);
      const graphs = applications.map(([, graph]) => graph);
      await Promise.all([...keyDoubles, ...graphs].map((one) => one.close()));
    },
  };
}

async function startKeyDouble({ service, listed, id }: Kind): Promise<KeyDouble> {
  const keys = makeArmKeys(listed);
  let accepted: ReadonlySet<string> | undefined;
  const plane = await startKeyPlane(service, "orders", () =>
    [...keys.now.values()].filter(({ value }) => accepted?.has(value) !== false),
  );
  plane.hostile = true;
  const place = { resourceGroup, administratorLogin: "none" };
  const address = `${plane.origin}/`;
  const properties = {
    ...{ primaryEndpoints: { blob: address }, endpoint: address, serviceBusEndpoint: address },
    rights: ["Manage", "Send", "Listen"],
  };
  const name = id.split("/").filter((_, index) => index > 1 && index % 2 === 0);
  const arm = await startArmDouble({
    hostile: true,
    resources: [
      {
        ...{ ...place, service, keys, properties, name: name.join("/") },
        ...(service === "cognitive" && { kind: "OpenAI" }),
      },
      ...(service === "service-bus"
        ? [{ ...place, service: `${service}-namespace`, name: "orders", properties }]
        : []),
    ],
  });
  return {
    ...{ arm, keys, plane },
    lag() {
      accepted = new Set(keys.ever);
      return () => {
        accepted = undefined;
      };
    },
  };
}

function toKeyTarget([id, kind, { arm, plane }, role]: KeyRow): object {
  const group = `/subscriptions/${arm.subscriptionId}/resourceGroups/${resourceGroup}`;
  return {
    type: kind.type,
    options: {
      service: kind.service,
      resource: `${group}/providers/${kind.id}`,
      ...{ host: "localhost", port: plane.port, resourceManager: arm.endpoint },
    },
    publish: { secret: publishedName(id), as: kind.as },
    ...toCommon(role),
  };
}

function toAppTarget([id, double, role]: AppRow): object {
  const { tenant, graph, logIn, application } = double;
  return {
    type: "entra-app",
    options: { tenant, graph, logIn },
    accounts: [application.appId],
    publish: publishedName(id),
    ...toCommon(role),
  };
}

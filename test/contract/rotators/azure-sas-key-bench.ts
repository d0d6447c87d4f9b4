import { type ArmKeys, makeArmKeys } from "../../../local/azure/arm/key-store.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { azureSasKey } from "../../../shared/rotators/azure-key/azure-sas-key.ts";
import type {
  AzureSasKeyOptions,
  BusServiceName,
} from "../../../shared/rotators/azure-key/azure-sas-key-options.ts";
import type { SettingRotator } from "../../../shared/rotators/rotator.ts";
import {
  type ArmDouble,
  type ArmResource,
  type ArmRole,
  startArmDouble,
} from "../../doubles/arm/server.ts";
import { type KeyPlane, startKeyPlane } from "../../doubles/keys/plane.ts";
import { group } from "./azure-key-bench.ts";

const providers: Readonly<Record<BusServiceName, string>> = {
  "service-bus": "Microsoft.ServiceBus",
  "event-hubs": "Microsoft.EventHub",
  relay: "Microsoft.Relay",
};

/** An emulated Azure Resource Manager with one shared access policy, its service, and the rotator aimed at both. */
export interface SasBench {
  readonly arm: ArmDouble;
  readonly keys: ArmKeys;
  readonly plane: KeyPlane;
  readonly options: AzureSasKeyOptions;
  readonly rotator: (role?: ArmRole) => SettingRotator<AzureSasKeyOptions>;
  readonly optionsWith: (changed: object) => AzureSasKeyOptions;
  /** The present value of a key, by the name of the account. */
  valueOf(account: string): Secret;
  /** The bodies of requests to regenerate a key, which have arrived so far. */
  sent(): readonly unknown[];
  close(): Promise<void>;
}

export interface SasResources {
  /** The policy belongs to this, such as `queues/mails`, and not to the namespace. */
  readonly entity?: string;
  readonly namespace?: Partial<ArmResource>;
  readonly rights?: readonly string[];
}

export async function startSasBench(
  service: BusServiceName = "service-bus",
  { entity, namespace = {}, rights = ["Manage", "Send", "Listen"] }: SasResources = {},
): Promise<SasBench> {
  const keys = makeArmKeys(["primaryKey", "secondaryKey"]);
  const plane = await startKeyPlane(service, "orders", () => [...keys.now.values()]);
  const common = { resourceGroup: group, administratorLogin: "none" };
  const path = entity === undefined ? "" : `${entity}/`;
  const [kind, ...names] = entity?.split("/") ?? [];
  const arm = await startArmDouble({
    hostile: true,
    resources: [
      {
        ...{ ...common, keys, properties: { rights } },
        service: kind === undefined ? service : `${service}/${kind}`,
        name: ["orders", ...names, "app"].join("/"),
      },
      {
        ...{ ...common, name: "orders", service: `${service}-namespace` },
        properties: { serviceBusEndpoint: `${plane.origin}/` },
        ...namespace,
      },
    ],
  });
  const rotator = (role?: ArmRole) =>
    azureSasKey(arm.credential(role), { ca: arm.ca, pollInterval: 1 });
  const optionsWith = (changed: object) =>
    rotator().options.parse({
      service,
      resource: `/subscriptions/${arm.subscriptionId}/resourceGroups/${group}/providers/${providers[service]}/namespaces/orders/${path}authorizationRules/app`,
      host: "localhost",
      port: plane.port,
      resourceManager: arm.endpoint,
      ...changed,
    });
  return {
    ...{ arm, keys, plane, rotator, optionsWith, options: optionsWith({}) },
    valueOf: (account) => new Secret(keys.now.get(`${account}Key`)?.value ?? ""),
    sent: () =>
      arm.inspection.requests
        .filter(({ path: at }) => at.endsWith("/regenerateKeys"))
        .map(({ body }) => body),
    async close() {
      await arm.close();
      await plane.close();
    },
  };
}

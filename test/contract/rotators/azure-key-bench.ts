import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Listening } from "../../../conformance/faults/listening.ts";
import { appIdentity } from "../../../conformance/identity.ts";
import type { MintingFixture } from "../../../conformance/minting-fixture.ts";
import { type ArmKeys, makeArmKeys } from "../../../local/azure/arm/key-store.ts";
import { Secret } from "../../../shared/core/secrets/secret.ts";
import { azureKey, type AzureKeyOptions } from "../../../shared/rotators/azure-key/azure-key.ts";
import type { KeyService } from "../../../shared/rotators/azure-key/azure-key-service.ts";
import {
  type KeyServiceName,
  keyServices,
} from "../../../shared/rotators/azure-key/azure-key-services.ts";
import type { Rotator } from "../../../shared/rotators/rotator.ts";
import {
  type ArmDouble,
  type ArmDoubleOptions,
  type ArmResource,
  type ArmRole,
  startArmDouble,
} from "../../doubles/arm/server.ts";
import { type KeyPlane, startKeyPlane } from "../../doubles/keys/plane.ts";
import { startRedisDouble } from "../../doubles/keys/redis.ts";

/** An emulated Azure Resource Manager with one resource, its service, and the rotator aimed at both. */
export interface KeyBench {
  readonly arm: ArmDouble;
  readonly keys: ArmKeys;
  readonly plane: Listening;
  /** The same, if it speaks HTTP. */
  readonly web: KeyPlane | undefined;
  readonly options: AzureKeyOptions;
  readonly rotator: (role?: ArmRole) => Rotator<AzureKeyOptions>;
  readonly optionsWith: (changed: object) => AzureKeyOptions;
  /** The present value of a key, by the name of the account. */
  valueOf(account: string): Secret;
  /** Requests to regenerate a key, which have arrived so far. */
  readonly creations: () => number;
  readonly openConnections: () => number;
  close(): Promise<void>;
}

export const group = "rg-orders";

export async function startKeyBench(
  service: KeyServiceName,
  resource: Partial<ArmResource> = {},
  armOptions: Omit<ArmDoubleOptions, "resources"> = {},
): Promise<KeyBench> {
  const row: KeyService = keyServices[service];
  const { pairs, type, regenerate } = row;
  const names = Object.values(pairs).flatMap((pair) => pair.map(({ listed }) => listed));
  const keys = makeArmKeys(names);
  const listValues = () => [...keys.now.values()];
  const isRedis = row.proof?.by === "redis";
  const web = isRedis ? undefined : await startKeyPlane(service, "orders", listValues);
  const plane = web ?? (await startRedisDouble((value) => keys.has(value)));
  const name = service === "managed-redis" ? "orders/default" : "orders";
  const arm = await startArmDouble({
    resources: [
      {
        ...{ service, name, keys, resourceGroup: group, administratorLogin: "none" },
        properties: toAddresses(`https://localhost:${plane.port}/`),
        ...(service === "cognitive" && { kind: "OpenAI" }),
        ...(service === "cosmos-db" && { kind: "GlobalDocumentDB" }),
        ...resource,
      },
    ],
    ...armOptions,
  });
  const directory = await mkdtemp(join(tmpdir(), "keyturn-azure-key-"));
  const caFile = join(directory, "ca.pem");
  await writeFile(caFile, arm.ca);
  const rotator = (role?: ArmRole) =>
    azureKey(arm.credential(role), { ca: arm.ca, caFile, pollInterval: 1 });
  const [provider = "", ...parts] = type.split("/");
  const at = parts.map((part, index) => `${part}/${name.split("/")[index] ?? ""}`).join("/");
  const optionsWith = (changed: object) =>
    rotator().options.parse({
      service,
      resource: `/subscriptions/${arm.subscriptionId}/resourceGroups/${group}/providers/${provider}/${at}`,
      host: "localhost",
      port: plane.port,
      resourceManager: arm.endpoint,
      ...changed,
    });

  return {
    ...{ arm, keys, plane, web, rotator, optionsWith, options: optionsWith({}) },
    valueOf(account) {
      const key = Object.values(pairs)
        .flat()
        .find((one) => one.name === account);
      return new Secret(keys.now.get(key?.listed ?? "")?.value ?? "");
    },
    creations: () =>
      arm.inspection.requests.filter(({ path }) => path.includes(`/${regenerate}`)).length,
    openConnections: () => arm.inspection.connections.open + plane.connections.open,
    async close() {
      await arm.close();
      await plane.close();
      await rm(directory, { recursive: true, force: true });
    },
  };

  function toAddresses(address: string): object {
    const { host } = new URL(address);
    const all: Readonly<Record<string, object>> = {
      storage: { primaryEndpoints: { blob: address } },
      "cosmos-db": { documentEndpoint: address },
      cognitive: { endpoint: address },
      search: { endpoint: address },
      signalr: { hostName: host },
      "web-pubsub": { hostName: host },
      "event-grid-topic": { endpoint: `${address}api/events` },
      "event-grid-domain": { endpoint: `${address}api/events` },
      "app-configuration": { endpoint: address.replace(/\/$/, "") },
      batch: { accountEndpoint: host },
      "container-registry": { loginServer: host },
    };
    return all[service] ?? {};
  }
}

/** The bench for the common suite. */
export async function startMintingFixture(
  service: KeyServiceName,
  changed: object = {},
): Promise<MintingFixture<AzureKeyOptions>> {
  const bench = await startKeyBench(service, {}, { hostile: true });
  const { arm, keys, plane } = bench;
  const options = bench.optionsWith(changed);
  const rotator = bench.rotator();
  const accounts = (rotator.defaultAccounts?.(options) ?? []).toReversed();
  return {
    aimed: { rotator, options },
    endpoint: {
      ...{ engine: `azure-${service}`, host: "localhost", port: plane.port },
      more: { resource: "orders" },
    },
    using: appIdentity,
    reset() {
      keys.reset();
      arm.faults.clear();
      return arm
        .settle()
        .then(() => accounts.map((account) => ({ account, secret: bench.valueOf(account) })));
    },
    works: ({ account, secret }) => Promise.resolve(bench.valueOf(account).equals(secret)),
    snapshot: () => Array.from(keys.now, ([name, { value }]) => [name, value]),
    creations: bench.creations,
    loseReply() {
      arm.faults.on("regenerate", { do: "lost-reply-after-effect" });
    },
    refuse() {
      const refusal = { status: 400, code: "BadRequest", message: "No." };
      arm.faults.on("regenerate", { do: "refuse", with: refusal });
    },
    powerless: { rotator: bench.rotator("reader"), options },
    elsewhere: (port) => ({
      rotator,
      options: bench.optionsWith({
        ...changed,
        port,
        resourceManager: `https://localhost:${port}`,
      }),
    }),
    openConnections: bench.openConnections,
    stop: () => bench.close(),
  };
}

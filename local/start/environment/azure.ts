import { z } from "zod";
import { type ArmKeys, makeArmKeys } from "../../azure/arm/key-store.ts";
import { startArmDouble } from "../../azure/arm/server.ts";
import { type GraphDouble, startGraphDouble } from "../../azure/graph/server.ts";
import { cognitivePlane, startKeyPlane } from "../../azure/key-plane.ts";
import type { Certificate } from "../../certificate.ts";
import type { IdentityEndpoint } from "../../identity/endpoint.ts";
import type { Closing } from "./closing.ts";
import type { DataFolder } from "./data-folder.ts";
import { type Addresses, choosePort, readJson, replaceJson } from "./kept.ts";

/** The doubles of Azure that the targets with minted secrets need. All addresses are origins on this machine. */
export interface AzureDoubles {
  readonly resourceManager: string;
  readonly openAi: {
    readonly url: string;
    /** The id of the account in Resource Manager. */
    readonly resource: string;
    readonly keys: ArmKeys;
  };
  readonly entra: Pick<GraphDouble, "graph" | "logIn" | "tenant" | "application" | "put">;
}

const keyShape = z.object({ value: z.string(), created: z.number(), id: z.string() });
const keysShape = z.object({ key1: keyShape, key2: keyShape });

const secretShape = z.object({
  ...{ keyId: z.string(), displayName: z.string().nullable(), hint: z.string().nullable() },
  ...{ text: z.string(), start: z.number(), end: z.number(), addedAt: z.number() },
});
const applicationShape = z.object({
  ...{ id: z.string(), appId: z.string(), secrets: z.array(secretShape) },
});

/**
 * Starts the doubles. Each keeps its secrets in a private file, which it writes before it answers: after a kill, it has every secret that
 * anybody has received.
 */
export async function startAzure(
  folder: DataFolder,
  closing: Closing,
  options: {
    readonly identity: IdentityEndpoint;
    readonly tls: Certificate;
    readonly ports: Addresses["ports"];
  },
): Promise<AzureDoubles> {
  const openAi = await startOpenAi(folder, closing, options);
  const entra = await startEntra(folder, closing, options);
  return { ...openAi, entra };
}

type Options = Parameters<typeof startAzure>[2];

const account = "assistant";

async function startOpenAi(
  folder: DataFolder,
  closing: Closing,
  { identity, tls, ports }: Options,
): Promise<Pick<AzureDoubles, "resourceManager" | "openAi">> {
  const file = folder.at("openai-account.json");
  const kept = readJson(file, keysShape);
  const keys = makeArmKeys(["key1", "key2"], {
    kept: kept && new Map(Object.entries(kept)),
    save: (now) => {
      replaceJson(file, Object.fromEntries(now));
    },
  });
  const plane = await startKeyPlane({
    ...{ tls, name: account, behaviour: cognitivePlane },
    port: await choosePort(ports.openAi),
    listKeys: () => [...keys.now.values()],
  });
  closing.add(() => plane.close());
  const resourceGroup = "local";
  const arm = await startArmDouble({
    tls,
    port: await choosePort(ports.resourceManager),
    acceptsToken: (token, audience) => identity.accepts(token, audience),
    resources: [
      {
        ...{ service: "cognitive", kind: "OpenAI", name: account, resourceGroup, keys },
        administratorLogin: "none",
        properties: { endpoint: `${plane.origin}/` },
      },
    ],
  });
  closing.add(() => arm.close());
  const resource = `/subscriptions/${arm.subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.CognitiveServices/accounts/${account}`;
  return { resourceManager: arm.endpoint, openAi: { url: plane.origin, resource, keys } };
}

async function startEntra(
  folder: DataFolder,
  closing: Closing,
  { identity, tls, ports }: Options,
): Promise<GraphDouble> {
  const file = folder.at("entra-application.json");
  const double = await startGraphDouble({
    tls,
    ports: { graph: await choosePort(ports.graph), logIn: await choosePort(ports.logIn) },
    acceptsToken: (token, audience) => identity.accepts(token, audience),
    kept: readJson(file, applicationShape),
    save: (application) => {
      replaceJson(file, application);
    },
  });
  closing.add(() => double.close());
  return double;
}

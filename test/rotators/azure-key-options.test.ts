import { describe, expect, it } from "vitest";
import { parseConfig } from "../../shared/config/load.ts";
import { ConfigProblemsError } from "../../shared/config/problems.ts";
import { Secret } from "../../shared/core/secrets/secret.ts";
import { azureKey } from "../../shared/rotators/azure-key/azure-key.ts";
import type { AzureKeyOptions } from "../../shared/rotators/azure-key/azure-key-options.ts";
import { makeRotators } from "../../shared/rotators/registry.ts";

const credential = { getToken: () => Promise.reject(new Error("not requested")) };
const rotators = makeRotators(credential);
const rotator = azureKey(credential);

const group = "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/data";
const storage = `${group}/providers/Microsoft.Storage/storageAccounts/shop`;
const search = `${group}/providers/Microsoft.Search/searchServices/shop`;
const openai = `${group}/providers/Microsoft.CognitiveServices/accounts/shop`;
const cluster = `${group}/providers/Microsoft.Cache/redisEnterprise/shop`;

interface Written {
  readonly options: object;
  readonly publish?: unknown;
  readonly accounts?: readonly string[];
}

/** What the configuration check says about these targets. */
async function check(...targets: readonly Written[]): Promise<readonly string[]> {
  const common = { type: "azure-key", admin: "managed-identity" };
  const named = targets.map(({ options, accounts, publish }, index) => [
    `target-${index}`,
    {
      ...common,
      options,
      ...(accounts && { accounts }),
      publish: publish ?? `secret-${index}`,
    },
  ]);
  const config = {
    version: 1,
    vaults: { main: { url: "https://kv.vault.azure.net" } },
    policies: { default: { every: "90d" } },
    targets: Object.fromEntries(named) as unknown,
  };
  try {
    const { targets: found } = await parseConfig(JSON.stringify(config), { rotators });
    return found.map(({ slots, origin }) =>
      [origin, ...slots.map(({ account }) => account)].join(" "),
    );
  } catch (error) {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

const said = async (...targets: readonly Written[]) => (await check(...targets)).join("\n");

describe("the configuration check", () => {
  it("knows the keys of a target that names none, the second one first", async () => {
    expect(await check({ options: { service: "storage", resource: storage } })).toEqual([
      "system key2 key1",
    ]);
  });

  it.each(["json", "password", "connection-string"])("accepts publish.as %s", async (as) => {
    const publish = { secret: "shop", as };
    const target = { options: { service: "storage", resource: storage }, publish };
    expect(await check(target)).toEqual(["system key2 key1"]);
  });

  const refused: readonly (readonly [string, Written, string])[] = [
    [
      "a name instead of an id",
      { options: { service: "storage", resource: "shop" } },
      "must be the id of a storage account in Azure, as in /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Storage/storageAccounts/NAME",
    ],
    [
      "the id of another service",
      { options: { service: "storage", resource: search } },
      "Write service: search, or another id",
    ],
    [
      "the id of a cluster",
      {
        options: {
          service: "managed-redis",
          resource: cluster,
          host: "shop.westeurope.redis.azure.net",
        },
      },
      "append /databases/default",
    ],
    [
      "a service whose keys can be chosen",
      { options: { service: "service-bus", resource: storage } },
      "keys that Keyturn chooses",
    ],
    [
      "Log Analytics",
      { options: { service: "log-analytics", resource: storage } },
      "replaces both keys at the same time",
    ],
    [
      "Azure OpenAI by name",
      { options: { service: "openai", resource: openai } },
      "service: cognitive",
    ],
    [
      "the propagation of Azure",
      { options: { service: "storage", resource: storage, propagation: "0s" } },
      "options.propagation: is for a double on this machine only",
    ],
    ...[{}, { host: "shop.blob.core.windows.net" }, { host: "localhost.core.windows.net" }].map(
      (more) =>
        [
          `the propagation of a service of Azure beside a double, ${JSON.stringify(more)}`,
          {
            options: {
              ...{ service: "storage", resource: storage, propagation: "0s" },
              ...{ resourceManager: "https://localhost:1", ...more },
            },
          },
          "options.propagation: is for a double on this machine only",
        ] as const,
    ),
    [
      "a propagation that is no duration",
      {
        options: {
          ...{ service: "storage", resource: storage, propagation: "soon" },
          ...{ resourceManager: "https://localhost:1", host: "127.0.0.1" },
        },
      },
      "options.propagation: must be a duration, such as 0s",
    ],
    [
      "a missing host",
      { options: { service: "cognitive", resource: openai } },
      "options.host: is required with service: cognitive",
    ],
    [
      "a host of somebody else",
      { options: { service: "cognitive", resource: openai, host: "openai.example.com" } },
      "because Keyturn sends keys to no other host",
    ],
    [
      "the other pair of a service with one",
      { options: { service: "storage", resource: storage, keys: "read-only" } },
      "must be read-write with service: storage",
    ],
    [
      "a key that the service does not have",
      { options: { service: "storage", resource: storage }, accounts: ["key1", "primary"] },
      "must be key1 or key2, the keys of a storage account",
    ],
    [
      "one key alone",
      { options: { service: "storage", resource: storage }, accounts: ["key1"] },
      "must be two",
    ],
    [
      "a connection string where there is none",
      {
        options: { service: "search", resource: search },
        publish: { secret: "shop", as: "connection-string" },
      },
      "must be json or password: an Azure AI Search service has no connection strings",
    ],
  ];

  it("refuses a key of App Configuration alone, which is of no use without its id", async () => {
    const resource = `${group}/providers/Microsoft.AppConfiguration/configurationStores/shop`;
    const options = { service: "app-configuration", resource };
    expect(await check({ options, publish: { secret: "shop", as: "password" } })).toEqual([
      "targets.target-0.publish.as: must be json or connection-string: a key of an App Configuration store is of no use without its id",
    ]);
    for (const as of ["json", "connection-string"]) {
      const target = { options, publish: { secret: "shop", as } };
      expect(await check(target)).toEqual(["system secondary primary"]);
    }
  });

  it.each(refused)("refuses %s, and says what to write", async (_, target, message) => {
    expect(await said(target)).toContain(message);
  });

  it("refuses two targets with one pair, also by other names of the resource and its host", async () => {
    const first = { options: { service: "storage", resource: storage } };
    const host = "shop.queue.core.windows.net";
    const second = { options: { service: "storage", resource: storage.toUpperCase(), host } };
    expect(await said(first, second)).toContain("is already rotated by target target-0");
  });

  it("accepts two targets with the two pairs of one resource", async () => {
    const resource = `${group}/providers/Microsoft.DocumentDB/databaseAccounts/shop`;
    const [first, second] = await check(
      { options: { service: "cosmos-db", resource } },
      { options: { service: "cosmos-db", resource, keys: "read-only" } },
    );
    expect([first, second]).toEqual([
      "system secondary primary",
      "system secondaryReadonly primaryReadonly",
    ]);
  });
});

const parse = (options: object): AzureKeyOptions => rotator.options.parse(options);
const secret = new Secret("k+/=");

it("knows that a double on this machine refuses a new key for as long as its options say", () => {
  const double = {
    ...{ service: "search", resource: search },
    ...{ resourceManager: "https://localhost:1", host: "::1" },
  };
  expect(rotator.findPropagation?.(parse(double))).toBe(300_000);
  expect(rotator.findPropagation?.(parse({ ...double, propagation: "0s" }))).toBe(0);
});

describe("connection strings", () => {
  const written: readonly (readonly [string, object, string])[] = [
    [
      "storage",
      { service: "storage", resource: storage },
      "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=k+/=;EndpointSuffix=core.windows.net",
    ],
    [
      "storage in another cloud",
      {
        service: "storage",
        resource: storage,
        resourceManager: "https://management.chinacloudapi.cn",
      },
      "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=k+/=;EndpointSuffix=core.chinacloudapi.cn",
    ],
    [
      "storage in a DNS zone",
      { service: "storage", resource: storage, host: "shop.z12.blob.storage.azure.net" },
      "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=k+/=;BlobEndpoint=https://shop.z12.blob.storage.azure.net:443/",
    ],
    [
      "Cosmos DB",
      {
        service: "cosmos-db",
        resource: `${group}/providers/Microsoft.DocumentDB/databaseAccounts/shop`,
      },
      "AccountEndpoint=https://shop.documents.azure.com:443/;AccountKey=k+/=;",
    ],
    [
      "Redis",
      { service: "redis", resource: `${group}/providers/Microsoft.Cache/redis/shop` },
      "shop.redis.cache.windows.net:6380,password=k+/=,ssl=True,abortConnect=False",
    ],
    [
      "SignalR",
      { service: "signalr", resource: `${group}/providers/Microsoft.SignalRService/signalR/shop` },
      "Endpoint=https://shop.service.signalr.net;AccessKey=k+/=;Version=1.0;",
    ],
  ];
  it.each(written)("of %s are those that Azure shows", (_, options, text) => {
    const made = rotator.toConnectionString?.(parse(options), { account: "key2", secret });
    expect(made?.reveal()).toBe(text);
    expect(rotator.readConnectionString?.(new Secret(text))?.secret.reveal()).toBe("k+/=");
  });

  it.each([
    ["AccountKey=k+/=; AccountName=shop ;EndpointSuffix=core.windows.net", "k+/="],
    ["accountname=shop;ACCOUNTKEY=abc==", "abc=="],
    ["Endpoint=sb://ns/;SharedAccessKeyName=rule;SharedAccessKey=abc=;EntityPath=q", "abc="],
    ["Endpoint=https://shop.azconfig.io;Id=0-l4-s0:abc;Secret=abc=", "abc="],
  ])("are read in any order and case: %s", (text, key) => {
    expect(rotator.readConnectionString?.(new Secret(text))?.secret.reveal()).toBe(key);
  });

  it("of App Configuration have an id, which a later version keeps", () => {
    const text = "Endpoint=https://shop.azconfig.io;Id=0-l4-s0:abc;Secret=abc=";
    const read = rotator.readConnectionString?.(new Secret(text));
    expect(read?.secretId).toBe("0-l4-s0:abc");
    const resource =
      "/subscriptions/00000000-0000-4000-8000-000000000000/resourceGroups/shop/providers/Microsoft.AppConfiguration/configurationStores/shop";
    const options = parse({ service: "app-configuration", resource });
    const key = { account: "primary", secret: new Secret("abc=") };
    const write = (credential: object) =>
      rotator.toConnectionString?.(options, { ...key, ...credential }).reveal();
    expect(write(read ?? {})).toBe(text);
    expect(() => write({})).toThrow("the id of the key is not known");
  });

  it.each([
    "k+/=",
    "",
    "AccountKey=abc",
    "AccountName=shop;AccountKey=",
    "AccountName=shop;AccountKey=a;AccountKey=b",
    "Server=tcp:shop;Password=abc",
    '{"AccountName":"shop","AccountKey":"abc"}',
  ])("are not read in other texts: %s", (text) => {
    expect(rotator.readConnectionString?.(new Secret(text))).toBeUndefined();
  });
});

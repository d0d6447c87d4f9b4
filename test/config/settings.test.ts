import { inspect } from "node:util";
import { expect, test } from "vitest";
import { ConfigProblemsError } from "../../shared/config/problems.ts";
import { readSettings } from "../../shared/config/settings.ts";

const key = "bm90LWEta2V5LWp1c3QtdGV4dA==";
const connection = `DefaultEndpointsProtocol=https;AccountName=orders;AccountKey=${key}`;
const id = "0b7a1a5e-6d0f-4c53-9a1b-3f0a2d9c7e11";

function listProblems(env: Record<string, string>): string {
  try {
    readSettings(env);
    return "none";
  } catch (error) {
    if (!(error instanceof ConfigProblemsError)) throw error;
    return error.message;
  }
}

test("a connection string is enough, and is read as a secret", () => {
  const settings = readSettings({ AzureWebJobsStorage: connection, PATH: "/bin" });
  expect(settings).toMatchObject({
    configuration: { as: "path", path: "./keyturn.yaml" },
    queue: "keyturn-work",
    table: "Keyturn",
    storage: { as: "connection-string" },
  });
  expect(settings).not.toHaveProperty("clientId");
  expect(inspect(settings, { depth: 9 }) + JSON.stringify(settings)).not.toContain(key);
  const { storage } = settings;
  expect(storage.as === "connection-string" && storage.connectionString.reveal()).toBe(connection);
});

test("every setting can be set, and an empty setting counts as missing", () => {
  const settings = readSettings({
    AzureWebJobsStorage: "UseDevelopmentStorage=true",
    KEYTURN_CONFIG: "conf.d",
    KEYTURN_QUEUE: "work",
    KEYTURN_TABLE: "Journal",
    AZURE_CLIENT_ID: id,
  });
  expect(settings).toMatchObject({
    configuration: { as: "path", path: "conf.d" },
    queue: "work",
    table: "Journal",
    clientId: id,
  });
  const empty = readSettings({
    AzureWebJobsStorage: connection,
    KEYTURN_QUEUE: "",
    AZURE_CLIENT_ID: "",
  });
  expect(empty.queue).toBe("keyturn-work");
  expect(empty).not.toHaveProperty("clientId");
});

test("with an account name, the addresses are those of the public cloud", () => {
  expect(readSettings({ AzureWebJobsStorage__accountName: "orders" }).storage).toEqual({
    as: "identity",
    queueUrl: "https://orders.queue.core.windows.net",
    tableUrl: "https://orders.table.core.windows.net",
    blobUrl: "https://orders.blob.core.windows.net",
  });
});

test("addresses of queue and tables can be set for other clouds, with their own identity", () => {
  const settings = readSettings({
    AzureWebJobsStorage__accountName: "orders",
    AzureWebJobsStorage__queueServiceUri: "https://orders.queue.core.chinacloudapi.cn/",
    AzureWebJobsStorage__tableServiceUri: "https://orders.table.core.chinacloudapi.cn",
    AzureWebJobsStorage__clientId: id,
  });
  expect(settings.storage).toEqual({
    as: "identity",
    queueUrl: "https://orders.queue.core.chinacloudapi.cn",
    tableUrl: "https://orders.table.core.chinacloudapi.cn",
    blobUrl: "https://orders.blob.core.chinacloudapi.cn",
    clientId: id,
  });
});

test("every problem is reported at once, without any value", () => {
  expect(
    listProblems({
      KEYTURN_QUEUE: "Bad--Queue",
      KEYTURN_TABLE: "tables",
      AZURE_CLIENT_ID: "me",
      AzureWebJobsStorage: key,
    }).split("\n"),
  ).toEqual([
    "The configuration has 4 problems:",
    "app settings  KEYTURN_QUEUE: must be 3 to 50 lower-case letters, digits and single hyphens, with no hyphen at either end",
    'app settings  KEYTURN_TABLE: must be 3 to 63 letters and digits, begin with a letter, and not be "tables"',
    "app settings  AZURE_CLIENT_ID: must be a UUID",
    "app settings  AzureWebJobsStorage: must be a connection string of a storage account",
  ]);
});

test.each([
  [{}, "AzureWebJobsStorage: is missing; set it to a connection string"],
  [
    { AzureWebJobsStorage__queueServiceUri: "https://q.example" },
    "AzureWebJobsStorage__tableServiceUri: is missing",
  ],
  [
    { AzureWebJobsStorage__tableServiceUri: "https://t.example" },
    "AzureWebJobsStorage__queueServiceUri: is missing",
  ],
  [
    { AzureWebJobsStorage: connection, AzureWebJobsStorage__accountName: "orders" },
    "AzureWebJobsStorage: is set together with AzureWebJobsStorage__… settings",
  ],
  [
    { AzureWebJobsStorage__accountName: "orders.blob" },
    "AzureWebJobsStorage__accountName: must be the name of a storage account",
  ],
])("an ambiguous or missing storage account is rejected: %o", (env, problem) => {
  expect(listProblems(env)).toContain(problem);
});

test("a configuration in a blob is set by its address, which is read as a secret", () => {
  const address =
    "https://orders.blob.core.windows.net/conf/team/keyturn.yaml?sv=1&sig=c2lnbmF0dXJl";
  const settings = readSettings({ AzureWebJobsStorage: connection, KEYTURN_CONFIG: address });
  const { configuration } = settings;
  expect(configuration.as === "blob" && configuration.url.reveal()).toBe(address);
  expect(inspect(settings, { depth: 9 }) + JSON.stringify(settings)).not.toContain("c2lnbmF0dXJl");
});

test.each([
  ["http://orders.blob.core.windows.net/conf/keyturn.yaml", "must begin with https://"],
  ["https://orders.example/conf/keyturn.yaml", "must be a path or the address of a blob"],
  ["https://orders.blob.core.windows.net", "must contain the names of a container and a blob"],
  ["https://orders.blob.core.windows.net/conf", "must contain the names of a container and a blob"],
  [
    "https://orders.blob.core.windows.net/conf/",
    "must contain the names of a container and a blob",
  ],
  [
    "https://u:c2VjcmV0@orders.blob.core.windows.net/c/k",
    "must not contain a user name or password",
  ],
  ["https://?sig=c2VjcmV0", "is not a valid web address"],
])(
  "the configuration address %s is refused, and the message does not repeat it",
  (address, message) => {
    const problems = listProblems({ AzureWebJobsStorage: connection, KEYTURN_CONFIG: address });
    expect(problems).toContain(`KEYTURN_CONFIG: ${message}`);
    expect(problems).not.toContain("c2VjcmV0");
  },
);

test("the address of the blobs is required if it cannot be derived from that of the queues", () => {
  const services = {
    AzureWebJobsStorage__queueServiceUri: "https://queues.example",
    AzureWebJobsStorage__tableServiceUri: "https://tables.example",
  };
  const inBlob = { KEYTURN_CONFIG: "https://orders.blob.core.windows.net/conf/keyturn.yaml" };
  expect(listProblems(services)).toBe("none");
  expect(listProblems({ ...services, ...inBlob })).toContain("blobServiceUri: is missing");
  const blobs = { AzureWebJobsStorage__blobServiceUri: "https://blobs.example/" };
  expect(readSettings({ ...services, ...inBlob, ...blobs }).storage).toMatchObject({
    blobUrl: "https://blobs.example",
  });
});

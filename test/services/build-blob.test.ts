import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { BlobSASPermissions, BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { type Azurite, startAzurite } from "../../local/azurite.ts";
import { makeFolder } from "../config/written.ts";
import { hostApp } from "./hosted-app.ts";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite({ memory: true });
});
afterAll(() => azurite.close());

const config = {
  version: 1,
  vaults: { main: { url: "https://kv.vault.azure.net" } },
  policies: { default: { every: "30d" } },
  targets: {
    orders: {
      ...{ type: "postgresql", accounts: ["app"], admin: "self", publish: "orders" },
      options: { host: "db.example" },
    },
  },
};

/** Stores the configuration, and returns its address with a signature. */
async function stored(): Promise<string> {
  const storage = BlobServiceClient.fromConnectionString(azurite.connectionString);
  const container = storage.getContainerClient("conf");
  await container.create();
  const blob = container.getBlockBlobClient("keyturn.yaml");
  const text = stringify(config);
  await blob.upload(text, Buffer.byteLength(text));
  const expiresOn = new Date(Date.now() + 3_600_000);
  return blob.generateSasUrl({ permissions: BlobSASPermissions.parse("r"), expiresOn });
}

test("the package reads its configuration from a blob: the first instance checks it in a thread, and later ones use its checked form", async () => {
  const scratch = await makeFolder({});
  const folder = join(scratch, "package");
  await run(process.execPath, [join(root, "scripts", "build.ts"), "--out", folder], { cwd: root });
  const settings = {
    AzureWebJobsStorage: azurite.connectionString,
    KEYTURN_CONFIG: await stored(),
    KEYTURN_QUEUE: "keyturn-work",
    KEYTURN_SWEEP_SCHEDULE: "0 0 0 29 2 *",
    IDENTITY_ENDPOINT: "http://127.0.0.1:9/token",
    IDENTITY_HEADER: "x",
  };
  const start = async (instance: string) => {
    const app = await hostApp(folder, settings, await makeFolder({}));
    try {
      const answer = await app.call("GET", "/api/targets");
      expect([instance, answer.status]).toEqual([instance, 200]);
      expect(await answer.text()).toContain('"orders"');
    } finally {
      await app.stop();
    }
  };
  await start("first");
  const kept = await keptBlobs();
  expect([...kept.keys()]).toEqual(["keyturn.yaml", "keyturn.yaml.checked"]);
  await start("later");
  // An instance that checks the configuration again would write the form again.
  expect(await keptBlobs()).toEqual(kept);
});

/** What instances have kept, with the ETag of each. */
async function keptBlobs(): Promise<Map<string, string>> {
  const storage = BlobServiceClient.fromConnectionString(azurite.connectionString);
  const blobs = new Map<string, string>();
  for await (const blob of storage.getContainerClient("keyturn-work-config").listBlobsFlat()) {
    blobs.set(blob.name.replace(/^\w+\//, ""), blob.properties.etag);
  }
  return blobs;
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BlobSASPermissions, BlobServiceClient } from "@azure/storage-blob";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { patient } from "./world/api.ts";
import { makeConfig, seed, single } from "./world/targets.ts";
import { everySecond, queueName, startWorld, type World } from "./world/world.ts";

let world: World;
/** Writes the blob, as a person or a pipeline does. */
let edit: (text: string) => Promise<unknown>;
let written: { readonly targets: object };

beforeAll(async () => {
  world = await startWorld({
    config: (places) =>
      makeConfig(places, { orders: single(places, "orders"), billing: single(places, "billing") }),
    sweep: everySecond,
  });
  await seed(world, "orders");
  await seed(world, "billing");
  written = JSON.parse(
    await readFile(join(world.folder, "keyturn.yaml"), "utf8"),
  ) as typeof written;
  const storage = BlobServiceClient.fromConnectionString(world.storage);
  const container = storage.getContainerClient("conf");
  await container.create();
  const blob = container.getBlockBlobClient("keyturn.yaml");
  edit = (text) => blob.upload(text, Buffer.byteLength(text));
  const signedUrl = await blob.generateSasUrl({
    permissions: BlobSASPermissions.parse("r"),
    expiresOn: new Date(Date.now() + 3_600_000),
  });
  await edit(withTargets("orders"));
  await world.start({ settings: { KEYTURN_CONFIG: signedUrl } });
  settings = { KEYTURN_CONFIG: signedUrl };
});
afterAll(() => world.close());

let settings: Readonly<Record<string, string>>;

function withTargets(...names: readonly string[]): string {
  const targets = Object.entries(written.targets).filter(([name]) => names.includes(name));
  return JSON.stringify({ ...written, targets: Object.fromEntries(targets) });
}

const rotated = async (name: string) => world.api.ended(await world.api.rotate(name));
const fetchStatus = async (name: string) =>
  (await world.api.send("GET", `/api/targets/${name}`)).status;

test("an app with its configuration in a blob applies edits while it runs, and keeps the last valid one after a broken edit, also across a restart", async () => {
  expect(await rotated("orders")).toMatchObject({ state: "done" });
  expect(await fetchStatus("billing")).toBe(404);

  await edit(withTargets("orders", "billing"));
  await vi.waitFor(async () => {
    expect(await fetchStatus("billing")).toBe(200);
  }, patient);
  expect(world.output.written).toContain("config-changed");

  await edit(withTargets("orders").replace('"version":1', '"version":2'));
  await vi.waitFor(async () => {
    const alarms = await world.api.alarms();
    expect(alarms.map(({ kind }) => kind)).toContain("config-refused");
  }, patient);
  expect(await rotated("billing")).toMatchObject({ state: "done" });

  await world.host().stop();
  await world.start({ settings });
  expect(await rotated("billing")).toMatchObject({ state: "done" });
  const refusals = (await world.api.alarms()).filter(({ kind }) => kind === "config-refused");
  expect(refusals).toHaveLength(1);
  expect(refusals[0]?.message).toContain("version");
  expect(world.output.written).not.toContain("sig=");
});

test("the data that instances keep is in a container of the queue's storage account", async () => {
  const storage = BlobServiceClient.fromConnectionString(world.storage);
  const names: string[] = [];
  const container = storage.getContainerClient(`${queueName}-config`);
  for await (const { name } of container.listBlobsFlat()) names.push(name.replace(/^\w+\//, ""));
  // The app runs from its sources here, so it has no build whose checked form could be kept.
  expect(names).toEqual(["keyturn.yaml"]);
});

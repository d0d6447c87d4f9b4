import { inspect } from "node:util";
import { BlobSASPermissions, BlobServiceClient, type BlockBlobClient } from "@azure/storage-blob";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Azurite, startAzurite } from "../../../local/azurite.ts";
import { ConfigError } from "../../../shared/core/errors.ts";
import { ConfigBlobError, openConfigBlob } from "../../../shared/stores/blob/config-blob.ts";
import { KeptConfigError, openKeptConfigs } from "../../../shared/stores/blob/kept-config.ts";
import { getPart, movedTo } from "../../stores/connection-strings.ts";
import { lossyProxy } from "../../stores/lossy-proxy.ts";

let azurite: Azurite;
let storage: string;
let containers = 0;

beforeAll(async () => {
  azurite = await startAzurite({ memory: true });
  storage = azurite.connectionString;
});
afterAll(() => azurite.close());

const noToken = { getToken: () => Promise.reject(new Error("nobody requests a token")) };
const blobOrigin = () => new URL(getPart(storage, "BlobEndpoint")).origin;

/** A blob that a person edits with the plain client. */
async function editable(): Promise<BlockBlobClient> {
  const service = BlobServiceClient.fromConnectionString(storage);
  const container = service.getContainerClient(`conf-${++containers}`);
  await container.create();
  return container.getBlockBlobClient("team a/keyturn.yaml");
}

const write = (blob: BlockBlobClient, text: string) => blob.upload(text, Buffer.byteLength(text));

/** The address with a signature that permits only reading. */
const signed = (blob: BlockBlobClient, seconds = 600): Promise<string> =>
  blob.generateSasUrl({
    permissions: BlobSASPermissions.parse("r"),
    expiresOn: new Date(Date.now() + seconds * 1_000),
  });

/** The error of a reader. It checks that no text of the error contains a signature. */
async function refusedBy(address: string): Promise<ConfigBlobError> {
  const reading = openConfigBlob(address, noToken).read(undefined);
  const error: unknown = await reading.catch((reason: unknown) => reason);
  if (!(error instanceof ConfigBlobError)) throw error;
  expect(inspect(error, { depth: 10 })).not.toMatch(/sig=|signature/i);
  return error;
}

describe("a blob with a configuration", () => {
  it("is read with its ETag and its time, and is unchanged until somebody writes it", async () => {
    const blob = await editable();
    await write(blob, "version: 1 # ä\n");
    const reader = openConfigBlob(await signed(blob), noToken);
    expect(reader.name).toBe(blob.url);
    const first = await reader.read(undefined);
    if (first === "unchanged") throw new Error("it was never read");
    const { etag, lastModified } = await blob.getProperties();
    expect(first.bytes.toString()).toBe("version: 1 # ä\n");
    expect([first.etag, first.modifiedAt]).toEqual([etag, lastModified?.toISOString()]);
    expect(await reader.read(first.etag)).toBe("unchanged");
    await write(blob, "version: 1 # ä\n");
    expect(await reader.read(first.etag)).toMatchObject({ bytes: first.bytes });
  });

  it("may be empty", async () => {
    const blob = await editable();
    await write(blob, "");
    expect(await openConfigBlob(await signed(blob), noToken).read(undefined)).toMatchObject({
      bytes: Buffer.from(""),
    });
  });

  it("is permanently missing when the blob does not exist", async () => {
    const { message, isLasting } = await refusedBy(await signed(await editable()));
    expect(isLasting).toBe(true);
    expect(message).toMatch(
      /^The configuration http:\S+ could not be read: status 404, BlobNotFound/,
    );
  });

  it("needs a correct and valid signature", async () => {
    const blob = await editable();
    await write(blob, "version: 1\n");
    const address = await signed(blob);
    for (const wrong of [address.replace(/sig=..../, "sig=AAAA"), await signed(blob, -60)]) {
      const { message, isLasting } = await refusedBy(wrong);
      expect(isLasting).toBe(true);
      expect(message).toContain("status 403");
    }
  });

  it("cannot be read for a moment while nothing answers, or only a gateway does", async () => {
    const blob = await editable();
    await write(blob, "version: 1\n");
    const proxy = await lossyProxy(blobOrigin());
    const address = (await signed(blob)).replace(blobOrigin(), proxy.url);
    proxy.answerPage(/keyturn/, 502, 10);
    expect((await refusedBy(address)).isLasting).toBe(false);
    await proxy.close();
    const { message, isLasting } = await refusedBy(address);
    expect(isLasting).toBe(false);
    expect(message).toContain("ECONNREFUSED");
  });

  it("is refused when it is far too large, and does no harm after that", async () => {
    const blob = await editable();
    await write(blob, " ".repeat(33 * 1024 ** 2));
    const { message, isLasting } = await refusedBy(await signed(blob));
    expect(isLasting).toBe(true);
    expect(message).toMatch(/has 34603008 bytes; the limit is 33554432/);
    // The body that nobody reads fails when its deadline passes.
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    await write(blob, "version: 1\n");
    expect(await openConfigBlob(await signed(blob), noToken).read(undefined)).toMatchObject({
      bytes: Buffer.from("version: 1\n"),
    });
  }, 60_000);

  it("cannot be read while its credential waits for a token, and that ends", async () => {
    const waiting = { getToken: () => new Promise<null>(() => undefined) };
    const reader = openConfigBlob("https://127.0.0.1:9/conf/keyturn.yaml", waiting);
    await expect(reader.read(undefined)).rejects.toThrow("timed out");
  }, 60_000);

  it("is requested with a token when its address has no signature", async () => {
    const asked: unknown[] = [];
    const credential = {
      getToken: (scope: unknown) => {
        asked.push(scope);
        return Promise.reject(new Error("no identity here"));
      },
    };
    const reader = openConfigBlob("https://127.0.0.1:9/conf/keyturn.yaml", credential);
    await expect(reader.read(undefined)).rejects.toThrow(ConfigBlobError);
    expect(asked).not.toHaveLength(0);
    expect(String(asked[0])).toContain("https://storage.azure.com/.default");
    expect(() => openConfigBlob("http://conf.example/a/b", credential)).toThrow(ConfigError);
  });
});

describe("the kept configuration", () => {
  const container = () => `work-${++containers}-config`;
  const kept = (name: string, source = "https://a/conf/keyturn.yaml", connection = storage) =>
    openKeptConfigs({ connectionString: connection }, name, source);
  const at = (modifiedAt: string, text: string) => ({
    ...{ modifiedAt, etag: '"1"', bytes: Buffer.from(text) },
  });

  it("is left to the next check while somebody holds a lease on it", async () => {
    const name = container();
    await kept(name).keep(at("2026-01-01T00:00:00.000Z", "a"));
    const service = BlobServiceClient.fromConnectionString(storage);
    for await (const { name: blobName } of service.getContainerClient(name).listBlobsFlat()) {
      const blob = service.getContainerClient(name).getBlobClient(blobName);
      await blob.getBlobLeaseClient().acquireLease(60);
    }
    const later = at("2026-01-02T00:00:00.000Z", "b");
    await expect(kept(name).keep(later)).rejects.toThrow(KeptConfigError);
  });

  it("is replaced by another edit of the same second", async () => {
    const name = container();
    await kept(name).keep(at("2026-01-01T00:00:00.000Z", "a"));
    await kept(name).keep(at("2026-01-01T00:00:00.000Z", "b"));
    expect((await kept(name).lastGood())?.bytes.toString()).toBe("b");
  });

  it("is absent at first, and its container is created automatically", async () => {
    const configs = kept(container());
    expect(await configs.lastGood()).toBeUndefined();
    expect(await configs.checkedForm()).toBeUndefined();
    await configs.keep(at("2026-01-01T00:00:00.000Z", "a"));
    await configs.keepForm("form");
    expect(await configs.lastGood()).toEqual({
      bytes: Buffer.from("a"),
      modifiedAt: "2026-01-01T00:00:00.000Z",
    });
    expect((await configs.checkedForm())?.toString()).toBe("form");
  });

  it("is the newest one, whatever the order of writes of the instances", async () => {
    const name = container();
    const days = [3, 1, 5, 2, 4];
    await Promise.all(
      days.map((day) => kept(name).keep(at(`2026-01-0${day}T00:00:00.000Z`, `day ${day}`))),
    );
    await kept(name).keep(at("2026-01-02T00:00:00.000Z", "old"));
    expect((await kept(name).lastGood())?.bytes.toString()).toBe("day 5");
  });

  it("is separate for each source blob", async () => {
    const name = container();
    await kept(name).keep(at("2026-01-01T00:00:00.000Z", "a"));
    expect(await kept(name, "https://b/conf/keyturn.yaml").lastGood()).toBeUndefined();
  });

  it("cannot be written or read while the storage is unreachable, and the message contains no key", async () => {
    const proxy = await lossyProxy(blobOrigin());
    await proxy.close();
    const configs = kept(container(), "s", movedTo(storage, "BlobEndpoint", proxy.url));
    const error: unknown = await configs.lastGood().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(KeptConfigError);
    expect(inspect(error, { depth: 10 })).not.toContain(getPart(storage, "AccountKey"));
    await expect(configs.keep(at("2026-01-01T00:00:00.000Z", "a"))).rejects.toThrow(
      KeptConfigError,
    );
  });
});

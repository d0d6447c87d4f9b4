import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { BlobServiceClient, type BlockBlobClient, type ContainerClient } from "@azure/storage-blob";
import { type Instant, second } from "../../core/time.ts";
import { openSafely, type StorageConnection, toStorageFailure } from "../storage-access.ts";
import type { StoredConfig } from "./config-blob.ts";

/** The last valid configuration, for instances that start while the current one cannot be read or has problems. */
export interface KeptConfig {
  readonly bytes: Buffer;
  /** When the source was written. */
  readonly modifiedAt: Instant;
}

/**
 * The copy of the configuration that all instances keep beside queue and journal. Every call throws KeptConfigError when the storage
 * cannot be reached.
 */
export interface KeptConfigs {
  lastGood(): Promise<KeptConfig | undefined>;
  /** Stores the configuration, unless a newer one is stored already. */
  keep(config: StoredConfig): Promise<void>;
  checkedForm(): Promise<Buffer | undefined>;
  keepForm(form: string): Promise<void>;
}

export class KeptConfigError extends Error {
  override readonly name = "KeptConfigError";
}

const retryOptions = { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: second };
const deadlineMs = 10 * second;

/** Conflicts with other instances after which storing is left to the next check. */
const maxConflicts = 5;

/** `source`: the name of the blob with the configuration. Each source has its own copy, so that copies are never mixed up. */
export function openKeptConfigs(
  connection: StorageConnection,
  containerName: string,
  source: string,
): KeptConfigs {
  const service = openSafely(() =>
    "connectionString" in connection
      ? BlobServiceClient.fromConnectionString(connection.connectionString, { retryOptions })
      : new BlobServiceClient(connection.endpoint, connection.credential, { retryOptions }),
  );
  const container = service.getContainerClient(containerName);
  const mark = createHash("sha256").update(source).digest("hex").slice(0, 16);
  const good = container.getBlockBlobClient(`${mark}/keyturn.yaml`);
  const form = container.getBlockBlobClient(`${mark}/keyturn.yaml.checked`);
  return {
    async lastGood() {
      const found = await wrapErrors(() => read(good));
      const modifiedAt = found?.metadata["modifiedat"];
      return found && modifiedAt !== undefined ? { bytes: found.bytes, modifiedAt } : undefined;
    },
    keep: (config) => wrapErrors(() => keepNewest(container, good, config)),
    checkedForm: async () => (await wrapErrors(() => read(form)))?.bytes,
    keepForm: (text) =>
      wrapErrors(() => intoContainer(container, () => write(form, Buffer.from(text), {}))),
  };
}

async function read(
  blob: BlockBlobClient,
): Promise<{ bytes: Buffer; metadata: Record<string, string> } | undefined> {
  try {
    const abortSignal = AbortSignal.timeout(deadlineMs);
    const { readableStreamBody, metadata = {} } = await blob.download(0, undefined, {
      abortSignal,
    });
    return { bytes: await buffer(readableStreamBody ?? Readable.from([])), metadata };
  } catch (error) {
    if (toStorageFailure(error).status === 404) return undefined;
    throw error;
  }
}

/** Instances that read different edits keep the newest one, also if an older one is written last. */
async function keepNewest(
  container: ContainerClient,
  blob: BlockBlobClient,
  { bytes, modifiedAt }: Pick<StoredConfig, "bytes" | "modifiedAt">,
  triesLeft = maxConflicts,
): Promise<void> {
  const kept = await readProperties(blob);
  const hash = createHash("sha256").update(bytes).digest("hex");
  if (isUpToDate(kept?.metadata, modifiedAt, hash)) return;
  const conditions = kept?.etag === undefined ? { ifNoneMatch: "*" } : { ifMatch: kept.etag };
  try {
    await intoContainer(container, () =>
      write(blob, bytes, { conditions, metadata: { modifiedat: modifiedAt, sha256: hash } }),
    );
  } catch (error) {
    // Another instance wrote first.
    if (!isConflict(error) || triesLeft <= 0) throw error;
    await keepNewest(container, blob, { bytes, modifiedAt }, triesLeft - 1);
  }
}

/** Times of blobs have whole seconds: of two edits within the same second, the one that is stored last wins. */
function isUpToDate(
  { modifiedat = "", sha256 }: Readonly<Record<string, string>> = {},
  modifiedAt: Instant,
  hash: string,
): boolean {
  return modifiedat > modifiedAt || (modifiedat === modifiedAt && sha256 === hash);
}

/** Whether another instance wrote first. */
function isConflict(error: unknown): boolean {
  const { code = "" } = toStorageFailure(error);
  return code === "ConditionNotMet" || code === "BlobAlreadyExists";
}

async function readProperties(blob: BlockBlobClient) {
  try {
    return await blob.getProperties({ abortSignal: AbortSignal.timeout(deadlineMs) });
  } catch (error) {
    if (toStorageFailure(error).status === 404) return undefined;
    throw error;
  }
}

type UploadOptions = NonNullable<Parameters<BlockBlobClient["upload"]>[2]>;

async function write(blob: BlockBlobClient, bytes: Buffer, options: UploadOptions): Promise<void> {
  await blob.upload(bytes, bytes.length, {
    ...options,
    abortSignal: AbortSignal.timeout(deadlineMs),
  });
}

async function intoContainer(
  container: ContainerClient,
  upload: () => Promise<void>,
): Promise<void> {
  try {
    await upload();
  } catch (error) {
    if (toStorageFailure(error).code !== "ContainerNotFound") throw error;
    await container.createIfNotExists({ abortSignal: AbortSignal.timeout(deadlineMs) });
    await upload();
  }
}

async function wrapErrors<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const { description } = toStorageFailure(error);
    throw new KeptConfigError(
      `The last good configuration could not be stored or read: ${description}.`,
    );
  }
}

import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import type { TokenCredential } from "@azure/identity";
import {
  AnonymousCredential,
  BlobClient,
  type BlobDownloadResponseParsed,
} from "@azure/storage-blob";
import { type Instant, second, toInstant } from "../../core/time.ts";
import { openSafely, toStorageFailure } from "../storage-access.ts";

/** The configuration in a blob. */
export interface StoredConfig {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly modifiedAt: Instant;
}

/** The blob with the configuration could not be read. */
export class ConfigBlobError extends Error {
  override readonly name = "ConfigBlobError";
  /** A retry will not help: the blob does not exist, or a right is missing. */
  readonly isLasting: boolean;

  /** The same for every repetition of the same failure; a message also names the request. */
  readonly reason: string;

  constructor(message: string, isLasting: boolean, reason = message) {
    super(message);
    this.isLasting = isLasting;
    this.reason = reason;
  }
}

export interface ConfigBlob {
  /** The name in messages: the address of the blob without a signature. */
  readonly name: string;
  /** The content, unless the blob still has `etag`. Throws ConfigBlobError. */
  read(etag: string | undefined): Promise<StoredConfig | "unchanged">;
}

/** Bytes. A configuration of 10,000 targets has about 3 MiB. */
const maxBytes = 32 * 1024 ** 2;

const retryOptions = { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: second };
const deadlineMs = 10 * second;

/** An address with a signature (`sig`) needs no token. For any other address, `credential` provides one. */
export function openConfigBlob(address: string, credential: TokenCredential): ConfigBlob {
  const { origin, pathname, searchParams } = new URL(address);
  const by = searchParams.has("sig") ? new AnonymousCredential() : credential;
  const client = openSafely(() => new BlobClient(address, by, { retryOptions }));
  const name = `${origin}${pathname}`;
  return {
    name,
    async read(etag) {
      const abortSignal = AbortSignal.timeout(deadlineMs);
      const conditions = etag === undefined ? {} : { ifNoneMatch: etag };
      try {
        const asked = client.download(0, undefined, { abortSignal, conditions });
        // A credential that waits for its token does not listen to the signal.
        return await readContent(await within(deadlineMs + second, asked));
      } catch (error) {
        if (error instanceof ConfigBlobError) throw error;
        const { status, code, description } = toStorageFailure(error);
        if (status === 304) return "unchanged";
        const isLasting = status !== undefined && status >= 400 && status < 500 && status !== 429;
        throw new ConfigBlobError(
          `The configuration ${name} could not be read: ${description}.`,
          isLasting,
          `${status} ${code}`,
        );
      }
    },
  };
}

async function readContent(response: BlobDownloadResponseParsed): Promise<StoredConfig> {
  const { etag, lastModified, contentLength = 0, readableStreamBody } = response;
  if (etag === undefined || !lastModified || !readableStreamBody) {
    throw new ConfigBlobError(
      "Blob storage answered without the ETag, the time or the content.",
      false,
    );
  }
  if (contentLength > maxBytes) {
    discard(readableStreamBody);
    throw new ConfigBlobError(
      `The configuration has ${contentLength} bytes; the limit is ${maxBytes}.`,
      true,
    );
  }
  return { bytes: await buffer(readableStreamBody), etag, modifiedAt: toInstant(lastModified) };
}

/** Ends a body that nobody reads. Its stream fails when the deadline passes, and an error without a listener would end the process. */
function discard(body: NodeJS.ReadableStream): void {
  body.on("error", () => undefined);
  if (body instanceof Readable) body.destroy();
}

async function within<Result>(milliseconds: number, asked: Promise<Result>): Promise<Result> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new DOMException("timed out", "AbortError"));
  }, milliseconds);
  // After the time limit, the result of the call does not matter.
  asked.catch(() => undefined);
  return Promise.race([asked, late.promise]).finally(() => {
    clearTimeout(timer);
  });
}

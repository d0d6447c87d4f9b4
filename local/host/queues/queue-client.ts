import { type QueueClient, QueueServiceClient } from "@azure/storage-queue";
import type { QueueOptions } from "../host-json.ts";

/** Opens a queue. Its name is lower-cased, as the host does. */
export function openQueue(connectionString: string, name: string): QueueClient {
  return QueueServiceClient.fromConnectionString(connectionString, {
    retryOptions: { maxTries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1_000 },
  }).getQueueClient(name.toLowerCase());
}

/** Encodes the text of a message; the storage client does not encode. */
export const encodeMessage = (
  body: string | Uint8Array,
  encoding: QueueOptions["messageEncoding"],
): string => Buffer.from(body).toString(encoding === "base64" ? "base64" : "utf8");

/** Returns undefined when the text does not have the encoding from host.json. */
export function decodeMessage(
  text: string,
  encoding: QueueOptions["messageEncoding"],
): string | undefined {
  if (encoding === "none") return text;
  const isBase64 = text.length % 4 === 0 && /^[a-z\d+/]*={0,2}$/i.test(text);
  return isBase64 ? Buffer.from(text, "base64").toString("utf8") : undefined;
}

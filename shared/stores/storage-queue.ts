import { QueueClient } from "@azure/storage-queue";
import { day, second } from "../core/time.ts";
import { toDelaySeconds } from "./delay.ts";
import { type Queue, QueueUnavailableError } from "./queue.ts";
import {
  openSafely,
  readAddress,
  type StorageConnection,
  toStorageFailure,
} from "./storage-access.ts";
import { pickWorkMessage } from "./work-message.ts";

export interface StorageQueueOptions {
  /** Milliseconds that sending one message may take, including retries. Default: 10 s. */
  readonly deadline?: number;
}

const retryOptions = { maxTries: 4, retryDelayInMs: 200, maxRetryDelayInMs: 2 * second };

/** How long a message waits for a reader after it becomes visible. */
const keptFor = (7 * day) / second;

/** The queue in Azure Storage from which the Functions host reads. It is created if it does not exist. */
export function makeStorageQueue(
  connection: StorageConnection,
  queueName: string,
  { deadline = 10 * second }: StorageQueueOptions = {},
): Queue {
  const client = openSafely(() =>
    "connectionString" in connection
      ? new QueueClient(connection.connectionString, queueName, { retryOptions })
      : new QueueClient(readAddress(connection.endpoint, queueName), connection.credential, {
          retryOptions,
        }),
  );

  async function put(text: string, visibilityTimeout: number, abortSignal: AbortSignal) {
    const messageTimeToLive = visibilityTimeout + keptFor;
    await client.sendMessage(text, { visibilityTimeout, messageTimeToLive, abortSignal });
  }

  return {
    send: async (message, delay = 0) => {
      const abortSignal = AbortSignal.timeout(deadline);
      const text = JSON.stringify(pickWorkMessage(message));
      const seconds = toDelaySeconds(delay);
      try {
        await put(text, seconds, abortSignal).catch(async (error: unknown) => {
          if (toStorageFailure(error).code !== "QueueNotFound") throw error;
          await client.createIfNotExists({ abortSignal });
          await put(text, seconds, abortSignal);
        });
      } catch (error) {
        const { description } = toStorageFailure(error);
        throw new QueueUnavailableError(`The work queue could not be reached: ${description}.`);
      }
    },
  };
}

import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import { toErrorMessage } from "../log.ts";
import { createMessageHandler, type MessageHandlerOptions } from "./message-handler.ts";
import type { QueueFunction } from "./queue-functions.ts";

export interface QueuePoller {
  /** Accepts no more messages. Resolves when the current ones are settled. */
  stop(): Promise<void>;
}

const minPauseMs = 100;
const ignore = (): void => undefined;

/**
 * Creates the queue and its poison queue, then polls for up to `batchSize` messages at a time. Fetches the next batch when at
 * most `newBatchThreshold` messages are being handled. Polls an empty queue less and less often, down to once per
 * `maxPollingInterval`. (On Azure, the queue of a trigger must already exist.)
 */
export async function startPoller(
  subject: QueueFunction,
  options: MessageHandlerOptions,
): Promise<QueuePoller> {
  await subject.queue.createIfNotExists();
  await subject.poison?.createIfNotExists();
  const handle = createMessageHandler(subject, options);
  const handling = new Set<Promise<void>>();
  const sleeper = createSleeper();
  let pause = minPauseMs;
  let stopped = false;

  const start = (message: DequeuedMessageItem) => {
    // A message received after the stop is made visible at once, instead of when its lease expires.
    const settled = stopped ? handBack(subject.queue, message) : handle(message);
    const ended = settled.catch(ignore).then(() => {
      handling.delete(ended);
      sleeper.wake();
    });
    handling.add(ended);
  };
  const receive = async (): Promise<number> => {
    try {
      const { receivedMessageItems } = await subject.queue.receiveMessages({
        numberOfMessages: options.queues.batchSize,
        visibilityTimeout: options.leaseSeconds,
      });
      receivedMessageItems.forEach(start);
      return receivedMessageItems.length;
    } catch (error) {
      const about = { functionName: subject.registered.metadata.name };
      options.log("error", `Cannot read the queue: ${toErrorMessage(error)}`, about);
      return 0;
    }
  };
  const poll = async () => {
    const { newBatchThreshold, maxPollingInterval } = options.queues;
    while (!stopped) {
      if (handling.size > newBatchThreshold) {
        await sleeper.sleep(maxPollingInterval);
        continue;
      }
      const received = await receive();
      pause = received > 0 ? minPauseMs : Math.min(pause * 2, maxPollingInterval);
      if (received === 0) await sleeper.sleep(pause);
    }
  };

  const polling = poll();
  return {
    async stop() {
      stopped = true;
      sleeper.wake();
      await polling;
      await Promise.all(handling);
    },
  };
}

async function handBack(queue: QueueClient, message: DequeuedMessageItem): Promise<void> {
  await queue.updateMessage(message.messageId, message.popReceipt, undefined, 0);
}

/** Makes a sleep that can be interrupted, also by a wake-up before it starts. */
function createSleeper(): { sleep(ms: number): Promise<void>; wake(): void } {
  let woken = false;
  let resolve = ignore;
  return {
    async sleep(ms) {
      const { promise, resolve: done } = Promise.withResolvers<undefined>();
      const timer = setTimeout(done, woken ? 0 : ms, undefined);
      resolve = () => {
        done(undefined);
      };
      await promise;
      clearTimeout(timer);
      woken = false;
    },
    wake() {
      woken = true;
      resolve();
    },
  };
}

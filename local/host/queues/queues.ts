import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import { toErrorMessage } from "../log.ts";
import { createMessageHandler, type MessageHandlerOptions } from "./message-handler.ts";
import type { QueueFunction } from "./queue-functions.ts";

export interface QueuePoller {
  /** No message is handled after this but those under way; resolves when they are settled. */
  stop(): Promise<void>;
}

const shortestPause = 100;
const ignore = (): void => undefined;

/**
 * Creates the queue and its poison queue, then polls: up to `batchSize` messages at a time, the next
 * batch as soon as no more than `newBatchThreshold` are being handled. An empty queue is asked less and
 * less often, up to `maxPollingInterval`. (On Azure the trigger's queue must exist already.)
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
  let pause = shortestPause;
  let stopped = false;

  const start = (message: DequeuedMessageItem) => {
    // Received too late: hand it back at once rather than let its lease run out.
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
      options.log("error", `The queue could not be read: ${toErrorMessage(error)}`, about);
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
      pause = received > 0 ? shortestPause : Math.min(pause * 2, maxPollingInterval);
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

/** A sleep that can be cut short. A wake-up before the sleep begins counts, too. */
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

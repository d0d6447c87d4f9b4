import { setTimeout as wait } from "node:timers/promises";
import { QueueClient } from "@azure/storage-queue";
import { type Batch, hostSettings } from "./host-settings.ts";

/** Longer than the work for any message, because this loop does not renew the lease as the host does. */
const holdSeconds = 1_800;

/** `visibilityTimeout` of host.json. */
const againSeconds = 30;

export interface QueueTrigger {
  /** Takes no more messages. Resolves when no message is in work. */
  stop(): Promise<void>;
}

/**
 * Takes messages from the queue like the Functions host: `batchSize` at a time, and the next batch when at most
 * `newBatchThreshold` are left; by default as `host.json` says. A message is deleted after its work, and reappears after 30 s when the work fails.
 */
export function startQueueTrigger(
  connectionString: string,
  queueName: string,
  {
    work,
    batch,
  }: { readonly work: (text: string) => Promise<void>; readonly batch?: Batch | undefined },
): QueueTrigger {
  const client = new QueueClient(connectionString, queueName);
  const { batchSize, newBatchThreshold, pollMs } = { ...hostSettings(), ...batch };
  const running = new Set<Promise<unknown>>();
  const stopping = new AbortController();
  const isOver = () => stopping.signal.aborted;

  async function take(): Promise<number> {
    const { receivedMessageItems } = await client.receiveMessages({
      numberOfMessages: batchSize,
      visibilityTimeout: holdSeconds,
    });
    for (const { messageId, popReceipt, messageText } of receivedMessageItems) {
      const done = work(messageText).then(
        () => client.deleteMessage(messageId, popReceipt),
        () => client.updateMessage(messageId, popReceipt, messageText, againSeconds),
      );
      running.add(done);
      void done.finally(() => running.delete(done));
    }
    return receivedMessageItems.length;
  }

  async function pull(): Promise<void> {
    await client.createIfNotExists();
    let idleMs = pollMs[0];
    while (!isOver()) {
      if (running.size > newBatchThreshold) await Promise.race(running);
      else if ((await take()) > 0) idleMs = pollMs[0];
      else {
        await wait(idleMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        idleMs = Math.min(2 * idleMs, pollMs[1]);
      }
    }
    await Promise.all(running);
  }

  const pulling = pull();
  return {
    stop() {
      stopping.abort();
      return pulling;
    },
  };
}

import type { QueueClient } from "@azure/storage-queue";
import type { RegisteredFunction } from "../app/core-module.ts";
import type { SendOutputs } from "../app/invoke.ts";
import { type Received, toMessages } from "../app/rpc-data.ts";
import type { QueueOptions, Settings } from "../host-json.ts";
import { encodeMessage, openQueue } from "./queue-client.ts";
import { readQueueBinding } from "./queue-functions.ts";

/**
 * Prepares the queue outputs of all functions, including `return`. The first message to a queue creates it.
 */
export function createOutputs(options: {
  functions: readonly RegisteredFunction[];
  settings: Settings;
  queues: QueueOptions;
}): SendOutputs {
  const outputs = new Map(
    options.functions.map(({ id, metadata }) => [
      id,
      new Map(
        Object.entries(metadata.bindings)
          .filter(
            ([, { direction, type }]) => direction === "out" && type.toLowerCase() === "queue",
          )
          .map(([name, binding]): [string, QueueClient] => {
            const { queueName, connectionString } = readQueueBinding(binding, options.settings);
            return [name, openQueue(connectionString, queueName)];
          }),
      ),
    ]),
  );
  const created = new Set<QueueClient>();

  async function send(queue: QueueClient, data: Received): Promise<void> {
    const messages = toMessages(data);
    if (messages.length === 0) return;
    if (!created.has(queue)) await queue.createIfNotExists();
    created.add(queue);
    for (const message of messages) {
      await queue.sendMessage(encodeMessage(message, options.queues.messageEncoding));
    }
  }

  return async (registered, response) => {
    for (const [name, queue] of outputs.get(registered.id) ?? []) {
      const data =
        name === "$return"
          ? response.returnValue
          : response.outputData.find((entry) => entry.name === name)?.data;
      await send(queue, data);
    }
  };
}

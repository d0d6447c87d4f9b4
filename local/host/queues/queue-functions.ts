import type { QueueClient } from "@azure/storage-queue";
import { z } from "zod";
import type { RegisteredFunction } from "../app/core-module.ts";
import { findTrigger } from "../app/invoke.ts";
import { resolveConnection, resolvePlaceholders, type Settings } from "../host-json.ts";
import { openQueue } from "./queue-client.ts";

const queueBinding = z.looseObject({ queueName: z.string(), connection: z.string().optional() });

export interface QueueFunction {
  registered: RegisteredFunction;
  queueName: string;
  queue: QueueClient;
  /** The queue for messages that cannot be handled. A poison queue has none itself. */
  poison: QueueClient | undefined;
}

export function readQueueBinding(
  binding: unknown,
  settings: Settings,
): { queueName: string; connectionString: string } {
  const { queueName, connection } = queueBinding.parse(binding);
  return {
    queueName: resolvePlaceholders(queueName, settings).toLowerCase(),
    connectionString: resolveConnection(connection, settings),
  };
}

export function readQueueFunction(
  registered: RegisteredFunction,
  settings: Settings,
): QueueFunction {
  const { queueName, connectionString } = readQueueBinding(findTrigger(registered), settings);
  const hasPoison = !queueName.endsWith("-poison");
  return {
    registered,
    queueName,
    queue: openQueue(connectionString, queueName),
    poison: hasPoison ? openQueue(connectionString, `${queueName}-poison`) : undefined,
  };
}

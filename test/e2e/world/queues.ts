import { type QueueClient, QueueServiceClient } from "@azure/storage-queue";
import { queueName } from "./world.ts";

/** The work queue, the queue for what goes first, and the poison queue of the former. */
export function openQueues(
  connectionString: string,
): Readonly<Record<"work" | "first" | "poison", QueueClient>> {
  const service = QueueServiceClient.fromConnectionString(connectionString);
  return {
    work: service.getQueueClient(queueName),
    first: service.getQueueClient(`${queueName}-first`),
    poison: service.getQueueClient(`${queueName}-poison`),
  };
}

/** Messages that wait or are being handled. */
export async function countMessages(queue: QueueClient): Promise<number> {
  const { approximateMessagesCount } = await queue.getProperties();
  return approximateMessagesCount ?? 0;
}

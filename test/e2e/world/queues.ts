import { type QueueClient, QueueServiceClient } from "@azure/storage-queue";
import { queueName } from "./world.ts";

/** The work queue and its poison queue. */
export function openQueues(connectionString: string): { work: QueueClient; poison: QueueClient } {
  const service = QueueServiceClient.fromConnectionString(connectionString);
  return {
    work: service.getQueueClient(queueName),
    poison: service.getQueueClient(`${queueName}-poison`),
  };
}

/** Messages that wait or are being handled. */
export async function countMessages(queue: QueueClient): Promise<number> {
  const { approximateMessagesCount } = await queue.getProperties();
  return approximateMessagesCount ?? 0;
}

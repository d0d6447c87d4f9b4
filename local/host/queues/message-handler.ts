import type { DequeuedMessageItem } from "@azure/storage-queue";
import type { RegisteredFunction } from "../app/core-module.ts";
import type { Call, Invoker } from "../app/invoke.ts";
import { json, type RpcTypedData } from "../app/rpc-data.ts";
import { type HostLog, toErrorMessage } from "../log.ts";
import type { QueueOptions } from "../settings.ts";
import { holdMessage, type MessageLease } from "./message-lease.ts";
import { decodeMessage } from "./queue-client.ts";
import type { QueueFunction } from "./queue-functions.ts";

export interface MessageHandlerOptions {
  invoker: Invoker;
  queues: QueueOptions;
  /** How long a message stays invisible if this process dies. */
  leaseSeconds: number;
  log: HostLog;
}

/**
 * Handles one received message to its end: deleted, shown again later, or moved to the poison queue.
 * Never rejects.
 */
export function createMessageHandler(
  subject: QueueFunction,
  options: MessageHandlerOptions,
): (message: DequeuedMessageItem) => Promise<void> {
  const { maxDequeueCount, visibilityTimeout, messageEncoding } = options.queues;
  const about = { functionName: subject.registered.metadata.name };

  async function toPoison(message: DequeuedMessageItem, lease: MessageLease, why: string) {
    if (subject.poison === undefined) {
      options.log("error", `${why}. There is no further poison queue; it stays.`, about);
      return lease.abandon();
    }
    options.log("warning", `${why}. Moving it to queue '${subject.poison.name}'.`, about);
    await subject.poison.sendMessage(message.messageText);
    return lease.complete();
  }

  async function settle(message: DequeuedMessageItem, lease: MessageLease): Promise<void> {
    const text = decodeMessage(message.messageText, messageEncoding);
    const named = `Message ${message.messageId}`;
    if (text === undefined) {
      return toPoison(message, lease, `${named} is not encoded in ${messageEncoding}`);
    }
    const limit = `${named} has reached MaxDequeueCount of ${maxDequeueCount}`;
    if (message.dequeueCount > maxDequeueCount) return toPoison(message, lease, limit);
    try {
      await options.invoker.invoke(queueCall(subject.registered, text, message));
    } catch {
      // The invoker has logged it.
      if (message.dequeueCount >= maxDequeueCount) return toPoison(message, lease, limit);
      return lease.release(visibilityTimeout);
    }
    return lease.complete();
  }

  return async (message) => {
    const lease = holdMessage({ queue: subject.queue, message, ...options });
    try {
      await settle(message, lease);
    } catch (error) {
      // Its lease was lost or storage is away: the message will be seen again, by whoever gets it.
      await lease.abandon();
      const text = `Message ${message.messageId} could not be settled: ${toErrorMessage(error)}`;
      options.log("warning", text, about);
    }
  };
}

/** What storage tells about a received message. */
type Receipt = Pick<
  DequeuedMessageItem,
  "messageId" | "popReceipt" | "dequeueCount" | "insertedOn" | "expiresOn" | "nextVisibleOn"
>;

/** One run for one message; without a receipt it was started by hand. */
export function queueCall(registered: RegisteredFunction, text: string, receipt?: Receipt): Call {
  const metadata: Record<string, RpcTypedData> = { QueueTrigger: { string: text } };
  if (receipt !== undefined) {
    Object.assign(metadata, {
      DequeueCount: json(receipt.dequeueCount),
      ExpirationTime: json(receipt.expiresOn),
      Id: { string: receipt.messageId },
      InsertionTime: json(receipt.insertedOn),
      NextVisibleTime: json(receipt.nextVisibleOn),
      PopReceipt: { string: receipt.popReceipt },
    });
  }
  const reason =
    receipt === undefined ? "This function was called by hand." : "New queue message detected.";
  return { function: registered, input: { string: text }, triggerMetadata: metadata, reason };
}

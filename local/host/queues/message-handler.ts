import type { DequeuedMessageItem } from "@azure/storage-queue";
import type { RegisteredFunction } from "../app/core-module.ts";
import type { Call, Invoker } from "../app/invoke.ts";
import { json, type RpcTypedData } from "../app/rpc-data.ts";
import type { QueueOptions } from "../host-json.ts";
import { type HostLog, toErrorMessage } from "../log.ts";
import { holdMessage, type MessageLease } from "./message-lease.ts";
import { decodeMessage } from "./queue-client.ts";
import type { QueueFunction } from "./queue-functions.ts";

export interface MessageHandlerOptions {
  invoker: Invoker;
  queues: QueueOptions;
  /** Seconds a message stays invisible after this process has died. */
  leaseSeconds: number;
  log: HostLog;
}

/**
 * Handles one received message until it is deleted, made visible again, or moved to the poison queue. Never rejects.
 */
export function createMessageHandler(
  subject: QueueFunction,
  options: MessageHandlerOptions,
): (message: DequeuedMessageItem) => Promise<void> {
  const { maxDequeueCount, visibilityTimeout, messageEncoding } = options.queues;
  const about = { functionName: subject.registered.metadata.name };

  async function toPoison(message: DequeuedMessageItem, lease: MessageLease, why: string) {
    if (subject.poison === undefined) {
      options.log(
        "error",
        `${why}. It stays in the queue, because a poison queue has no poison queue.`,
        about,
      );
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
      await options.invoker.invoke(toQueueCall(subject.registered, text, message));
    } catch {
      // The invoker has logged the error.
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
      // The lease was lost or storage is unavailable. A poller will receive the message again.
      await lease.abandon();
      const text = `Cannot delete, release or move message ${message.messageId}: ${toErrorMessage(error)}`;
      options.log("warning", text, about);
    }
  };
}

/** The data that storage adds to a received message. */
type Receipt = Pick<
  DequeuedMessageItem,
  "messageId" | "popReceipt" | "dequeueCount" | "insertedOn" | "expiresOn" | "nextVisibleOn"
>;

/** Makes the call for one message. Without a receipt, the function is started by hand. */
export function toQueueCall(registered: RegisteredFunction, text: string, receipt?: Receipt): Call {
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

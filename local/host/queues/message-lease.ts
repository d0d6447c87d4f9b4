import { type DequeuedMessageItem, type QueueClient, RestError } from "@azure/storage-queue";
import { type HostLog, toErrorMessage } from "../log.ts";

/** The claim on one received message: while it is held, no other poller sees the message. */
export interface MessageLease {
  /** Deletes the message, because it has been handled. */
  complete(): Promise<void>;
  /** Makes the message visible again after `delayMs`. */
  release(delayMs: number): Promise<void>;
  /** Stops renewing. The message reappears when the lease expires. */
  abandon(): Promise<void>;
}

/**
 * Keeps a received message invisible by renewing its lease when half of it is over. Each renewal invalidates the previous
 * receipt, so a renewal and the end of the lease never run at the same time.
 */
export function holdMessage(options: {
  queue: QueueClient;
  message: DequeuedMessageItem;
  leaseSeconds: number;
  log: HostLog;
}): MessageLease {
  const { queue, message, leaseSeconds } = options;
  let receipt = message.popReceipt;
  let timer: NodeJS.Timeout | undefined;
  let renewal: Promise<void> = Promise.resolve();
  let held = true;

  const update = async (visibleAfterSeconds: number) => {
    const { messageId } = message;
    const answer = await queue.updateMessage(messageId, receipt, undefined, visibleAfterSeconds);
    receipt = answer.popReceipt ?? receipt;
  };
  const renew = async () => {
    try {
      await update(leaseSeconds);
    } catch (error) {
      options.log(
        "warning",
        `Cannot renew the lease of message ${message.messageId}: ${toErrorMessage(error)}`,
      );
      held &&= !isLost(error);
    }
    if (held) schedule();
  };
  const schedule = () => {
    timer = setTimeout(() => {
      renewal = renew();
    }, leaseSeconds * 500).unref();
  };
  const end = async () => {
    held = false;
    clearTimeout(timer);
    await renewal;
  };

  schedule();
  return {
    async complete() {
      await end();
      await queue.deleteMessage(message.messageId, receipt);
    },
    async release(delayMs) {
      await end();
      await update(Math.round(delayMs / 1000));
    },
    abandon: end,
  };
}

/** Whether another poller received the message in the meantime, or it was deleted. Other errors may be temporary. */
const isLost = (error: unknown): boolean =>
  error instanceof RestError && (error.statusCode === 404 || error.statusCode === 400);

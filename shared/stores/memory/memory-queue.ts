import { type Instant, plus, second } from "../../core/time.ts";
import { toDelaySeconds } from "../delay.ts";
import type { Queue, WorkMessage } from "../queue.ts";
import { pickWorkMessage } from "../work-message.ts";

export interface WaitingMessage {
  readonly message: WorkMessage;
  readonly visibleAt: Instant;
}

export interface MemoryQueue extends Queue {
  /** All messages not yet received, in the order sent, visible or not. */
  readonly messages: readonly WaitingMessage[];
  /** Receives the message that has been visible longest. */
  receive(): WorkMessage | undefined;
}

/** A queue in memory. Each message is received once. */
export function makeMemoryQueue(now: () => Instant): MemoryQueue {
  let waiting: readonly WaitingMessage[] = [];
  return {
    get messages() {
      return waiting;
    },
    send: (message, delay = 0) => {
      const visibleAt = plus(now(), toDelaySeconds(delay) * second);
      waiting = [...waiting, { message: pickWorkMessage(message), visibleAt }];
      return Promise.resolve();
    },
    receive: () => {
      const visible = waiting.filter(({ visibleAt }) => visibleAt <= now());
      const [next] = visible.sort((a, b) => Date.parse(a.visibleAt) - Date.parse(b.visibleAt));
      waiting = waiting.filter((other) => other !== next);
      return next?.message;
    },
  };
}

import { toDelaySeconds } from "../../../shared/stores/delay.ts";
import {
  type Queue,
  QueueUnavailableError,
  type WorkMessage,
} from "../../../shared/stores/queue.ts";
import {
  medianMs,
  type RateLimit,
  rateLimit,
  storageLimits,
  storageRetries,
} from "./measured-services.ts";
import type { SimulatedClock } from "./simulated-clock.ts";

export interface Received {
  readonly message: WorkMessage;
  /** Reports that the work of the message has ended. */
  done(): Promise<void>;
}

export interface SimulatedQueue extends Queue {
  /** Receives up to `most` messages, which no other instance receives. */
  receive(most: number): Promise<readonly Received[]>;
  sends(): number;
  /** Answers ServerBusy so far. */
  busy(): number;
}

export interface QueueDeps {
  readonly clock: SimulatedClock;
  readonly latency: (median: number) => number;
  /** The limit of the storage account. */
  readonly account: RateLimit;
}

/** One queue of Queue storage. No instance dies, so a received message never reappears. */
export function simulatedQueue({ clock, latency, account }: QueueDeps): SimulatedQueue {
  const limit = rateLimit(storageLimits.queue);
  const visible: WorkMessage[] = [];
  let [first, sends] = [0, 0];

  async function ask(count: number): Promise<void> {
    for (let tries = 0; ; tries++) {
      await clock.sleep(latency(medianMs.queue));
      if (account.take(1, clock.now()) && limit.take(count, clock.now())) return;
      if (tries === storageRetries.most) throw new QueueUnavailableError("The queue is busy.");
      await clock.sleep(latency(storageRetries.firstPauseMs * 2 ** tries));
    }
  }

  async function showLater(message: WorkMessage, ms: number): Promise<void> {
    await clock.sleep(ms);
    visible.push(message);
  }

  return {
    async send(message, delay = 0) {
      await ask(1);
      sends += 1;
      if (delay > 0) void showLater(message, 1_000 * toDelaySeconds(delay));
      else visible.push(message);
    },
    async receive(most) {
      await ask(1);
      const messages = visible.slice(first, first + most);
      first += messages.length;
      if (first > 10_000) {
        visible.splice(0, first);
        first = 0;
      }
      return messages.map((message) => ({ message, done: () => ask(1) }));
    },
    sends: () => sends,
    busy: () => limit.refused,
  };
}

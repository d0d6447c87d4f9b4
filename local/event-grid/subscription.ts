import { setTimeout as sleep } from "node:timers/promises";
import { type DeadLetter, type Delivery, judge, post, toDeadLetter } from "./delivery.ts";
import type { DeliveryStatus } from "./delivery-retry.ts";
import type { Handshake } from "./handshake.ts";
import { createLanes, createReversedGroups, type Later } from "./lanes.ts";
import type { EventFilter, EventSchema, GridEvent } from "./schemas.ts";

export interface SubscriptionOptions {
  readonly name: string;
  readonly url: string;
  readonly schema: EventSchema;
  /**
   * Default: "validation-event" for the Event Grid schema and "options" for CloudEvents. An Event Grid trigger of Functions needs
   * "validation-event" for both.
   */
  readonly handshake?: Handshake;
  readonly filter?: EventFilter;
  /** 1 to 30. Default: 30. */
  readonly maxDeliveryAttempts?: number;
  /** 1 to 1440. Default: 1440. */
  readonly timeToLiveMinutes?: number;
  /** Delivers every event this many additional times. */
  readonly duplicates?: number;
  /** Delivers in groups of this size, each group last to first and one event after the other. */
  readonly reorder?: number;
}

export interface DeliveryAttempt {
  readonly eventId: string;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  readonly status: DeliveryStatus;
  /** Seconds until the next attempt, before scaling; undefined after the last attempt. */
  readonly retryIn: number | undefined;
}

export interface DeliveryTimes {
  /** Multiplies the waits between attempts. */
  readonly timeScale: number;
  /** Milliseconds an endpoint has for its reply. */
  readonly replyWithinMs: number;
  readonly random: () => number;
  readonly now: () => Date;
}

/** Delivers to one endpoint, at least once, in any order, with retries. */
export interface Deliverer {
  /** The last attempts, oldest first. */
  readonly attempts: readonly DeliveryAttempt[];
  accept(event: GridEvent): void;
  /** The number of events that are neither delivered nor dropped. */
  readonly outstanding: number;
  stop(): void;
}

const IN_FLIGHT = 10;
const GROUP_WAIT_MS = 100;
const ATTEMPTS_KEPT = 1000;

export function createDeliverer(
  options: SubscriptionOptions,
  times: DeliveryTimes,
  onSettled: (deadLetter: DeadLetter | undefined) => void,
): Deliverer {
  const stopping = new AbortController();
  const attempts: DeliveryAttempt[] = [];
  let outstanding = 0;

  const later: Later = (ms, act) => {
    const wait = { signal: stopping.signal, ref: false };
    void sleep(ms, undefined, wait).then(act, () => undefined);
  };
  const settle = (deadLetter: DeadLetter | undefined): void => {
    outstanding -= 1;
    onSettled(deadLetter);
  };
  const attempt = async (delivery: Delivery): Promise<void> => {
    const limit = AbortSignal.timeout(times.replyWithinMs);
    const status = await post(options, delivery, AbortSignal.any([stopping.signal, limit]));
    if (stopping.signal.aborted) return;
    delivery.attempts += 1;
    const verdict = judge(status, delivery, readRetryPolicy(options), times.random);
    const retryIn = verdict !== "delivered" && "retryIn" in verdict ? verdict.retryIn : undefined;
    attempts.push({ eventId: delivery.event.id, attempt: delivery.attempts, status, retryIn });
    if (attempts.length > ATTEMPTS_KEPT) attempts.shift();
    if (verdict === "delivered") settle(undefined);
    else if ("giveUp" in verdict) {
      const outcome = { subscription: options.name, deadLetterReason: verdict.giveUp, status };
      settle(toDeadLetter(delivery, { ...outcome, now: times.now() }));
    } else {
      delivery.waited += verdict.retryIn;
      later(verdict.retryIn * times.timeScale * 1000, () => {
        send(delivery);
      });
    }
  };
  const lanes = options.reorder === undefined ? IN_FLIGHT : 1;
  const send = createLanes(lanes, stopping.signal, attempt);
  const gather = createReversedGroups(options.reorder ?? 1, GROUP_WAIT_MS, later, send);

  return {
    attempts,
    get outstanding() {
      return outstanding;
    },
    accept(event) {
      const publishTime = times.now().toISOString();
      for (let copy = 0; copy <= (options.duplicates ?? 0); copy += 1) {
        outstanding += 1;
        gather({ event, publishTime, attempts: 0, waited: 0 });
      }
    },
    stop() {
      stopping.abort();
      outstanding = 0;
    },
  };
}

const readRetryPolicy = (options: SubscriptionOptions) => ({
  maxDeliveryAttempts: options.maxDeliveryAttempts ?? 30,
  timeToLiveMinutes: options.timeToLiveMinutes ?? 1440,
});

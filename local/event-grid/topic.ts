import type { DeadLetter } from "./delivery.ts";
import { shakeHands } from "./handshake.ts";
import {
  checkConversion,
  type EventSchema,
  type GridEvent,
  parseEvents,
  passes,
} from "./schemas.ts";
import {
  createDeliverer,
  type Deliverer,
  type DeliveryAttempt,
  type DeliveryTimes,
  type SubscriptionOptions,
} from "./subscription.ts";

export interface TopicOptions {
  /** Resource id of the source of the events. */
  readonly source: string;
  readonly inputSchema: EventSchema;
  /** How many events are kept for inspection. Default: 1,000. */
  readonly keep?: number | undefined;
  /** Multiplies the waits between attempts. Default: 1, as on Azure. */
  readonly timeScale?: number | undefined;
  /** Milliseconds that an endpoint has for its reply. Default: 30,000. */
  readonly replyWithinMs?: number | undefined;
  readonly random?: (() => number) | undefined;
  readonly now?: (() => Date) | undefined;
  readonly onDeadLetter?: ((deadLetter: DeadLetter) => void) | undefined;
}

export interface ReceivedEvent {
  /** Counts from 1. */
  readonly sequence: number;
  readonly receivedAt: string;
  readonly event: GridEvent;
}

export interface Subscription {
  readonly name: string;
  readonly attempts: readonly DeliveryAttempt[];
  /** Ends the subscription and drops undelivered events. */
  unsubscribe(): void;
}

export interface Topic {
  /** Accepts all events or none, and then throws InvalidEventsError. Does not wait for the delivery. */
  readonly publish: (events: readonly unknown[]) => void;
  /** Throws HandshakeError when the endpoint does not agree. Each name can be used once. */
  readonly subscribe: (options: SubscriptionOptions) => Promise<Subscription>;
  /** Returns the kept events with a sequence greater than `since`. */
  readonly events: (since?: number) => readonly ReceivedEvent[];
  readonly deadLetters: readonly DeadLetter[];
  /** Resolves when every event is delivered or dropped. */
  readonly idle: () => Promise<void>;
  readonly close: () => void;
}

const DEAD_LETTERS_KEPT = 1000;

/** Makes a topic in this process, without a URL, for the vault's events. */
export function createTopic(options: TopicOptions): Topic {
  const closing = new AbortController();
  const received = createInbox(options.keep ?? 1000, options.now);
  const subscribers = createSubscribers((deadLetter) => {
    options.onDeadLetter?.(deadLetter);
  });
  return {
    deadLetters: subscribers.deadLetters,
    idle: subscribers.idle,
    events: received.since,
    publish(events) {
      for (const event of parseEvents(events, options.inputSchema, options.source)) {
        received.add(event);
        subscribers.accept(event);
      }
    },
    async subscribe(wanted) {
      checkConversion(options.inputSchema, wanted.schema);
      const byDefault = wanted.schema === "EventGridSchema" ? "validation-event" : "options";
      const times = repeatCount(options);
      await shakeHands(
        { ...wanted, source: options.source },
        wanted.handshake ?? byDefault,
        AbortSignal.any([closing.signal, AbortSignal.timeout(times.replyWithinMs)]),
      );
      return subscribers.add(wanted, times);
    },
    close() {
      closing.abort();
      subscribers.clear();
    },
  };
}

function createSubscribers(onDeadLetter: (deadLetter: DeadLetter) => void) {
  const all = new Map<string, { options: SubscriptionOptions; deliverer: Deliverer }>();
  const deadLetters: DeadLetter[] = [];
  let waiting: (() => void)[] = [];

  const wakeIfIdle = (): void => {
    if ([...all.values()].some(({ deliverer }) => deliverer.outstanding > 0)) return;
    for (const wake of waiting) wake();
    waiting = [];
  };
  const remove = (name: string): void => {
    all.get(name)?.deliverer.stop();
    all.delete(name);
    wakeIfIdle();
  };

  return {
    deadLetters,
    add(options: SubscriptionOptions, times: DeliveryTimes): Subscription {
      const { name } = options;
      if (all.has(name)) throw new Error(`Subscription ${name} already exists`);
      const deliverer = createDeliverer(options, times, (deadLetter) => {
        if (deadLetter !== undefined) {
          deadLetters.push(deadLetter);
          if (deadLetters.length > DEAD_LETTERS_KEPT) deadLetters.shift();
          onDeadLetter(deadLetter);
        }
        wakeIfIdle();
      });
      all.set(name, { options, deliverer });
      return {
        name,
        attempts: deliverer.attempts,
        unsubscribe: () => {
          remove(name);
        },
      };
    },
    accept(event: GridEvent): void {
      for (const { options, deliverer } of all.values()) {
        if (passes(event, options.filter ?? {})) deliverer.accept(event);
      }
    },
    idle: () =>
      new Promise<void>((resolve) => {
        waiting.push(resolve);
        wakeIfIdle();
      }),
    clear(): void {
      for (const name of [...all.keys()]) remove(name);
    },
  };
}

const repeatCount = (options: TopicOptions): DeliveryTimes => ({
  timeScale: options.timeScale ?? 1,
  replyWithinMs: options.replyWithinMs ?? 30_000,
  random: options.random ?? Math.random,
  now: options.now ?? (() => new Date()),
});

function createInbox(keep: number, now: (() => Date) | undefined) {
  const kept: ReceivedEvent[] = [];
  let sequence = 0;
  return {
    add(event: GridEvent): void {
      sequence += 1;
      kept.push({ sequence, receivedAt: (now?.() ?? new Date()).toISOString(), event });
      if (kept.length > keep) kept.shift();
    },
    since: (after = 0): readonly ReceivedEvent[] => kept.filter((each) => each.sequence > after),
  };
}

import { setTimeout as wait } from "node:timers/promises";

/**
 * The fault that fires the next time an effect is requested.
 * - `reset-before-effect`: nothing is done, the connection is reset.
 * - `lost-reply-after-effect`: it is done, then the connection is reset instead of answering.
 * - `hang`: never answered; nothing is done unless `afterEffect` says so.
 * - `delay`: waits (milliseconds, below 2^31), then goes on, to the next armed fault if there is one.
 * - `refuse`: nothing is done; answered with the protocol's own error.
 */
export type Fault<Refusal> = (
  | { readonly do: "reset-before-effect" }
  | { readonly do: "lost-reply-after-effect" }
  | { readonly do: "hang"; readonly afterEffect?: boolean }
  | { readonly do: "delay"; readonly ms: number }
  | { readonly do: "refuse"; readonly with?: Partial<Refusal> }
) & {
  /** How often it fires. Default 1; `Infinity` for no limit. */
  readonly times?: number;
  /** So many requests pass before it fires. Default 0. */
  readonly after?: number;
};

export interface ArmedFault {
  /** How often it has fired so far. */
  readonly fired: number;
  /** Disarms the fault. */
  disarm(): void;
  /** Ends the current delays, so that a test can delay a request for any time. */
  letGo(): void;
}

/** Fault points of one double. Faults on one effect fire in the order in which they were armed. */
export interface Faults<Effect extends string, Refusal> {
  on(effect: Effect, fault: Fault<Refusal>): ArmedFault;
  clear(): void;
  /** While true, the double repeats every secret it was presented with in its error messages. */
  hostile: boolean;
}

export type Outcome<Answer> =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "reset" }
  | { readonly kind: "silence" };

export interface FaultyServer<Effect extends string, Refusal> extends Faults<Effect, Refusal> {
  /** Runs `effect` as the armed faults allow, and says what the client may hear of it. */
  perform<Answer>(
    effect: Effect,
    run: () => Answer | Promise<Answer>,
    refuse: (refusal: Partial<Refusal>) => Answer,
  ): Promise<Outcome<Answer>>;
  /** Ends every delay at once, because a closing double must not wait for them. */
  release(): void;
}

interface Armed<Refusal> {
  readonly fault: Fault<Refusal>;
  passed: number;
  fired: number;
  held: AbortController;
}

/** The armed faults, by effect. */
type Queues<Effect, Refusal> = Map<Effect, readonly Armed<Refusal>[]>;

export function faultPoints<Effect extends string, Refusal>(
  hostile = false,
): FaultyServer<Effect, Refusal> {
  const queues: Queues<Effect, Refusal> = new Map();
  const closing = new AbortController();
  return {
    hostile,
    on: (effect, fault) => arm(queues, effect, fault),
    clear() {
      queues.clear();
    },
    release() {
      closing.abort();
    },
    async perform(effect, run, refuse) {
      const fault = await nextFault(queues, effect, closing.signal);
      switch (fault?.do) {
        case "reset-before-effect":
          return { kind: "reset" };
        case "lost-reply-after-effect":
          await run();
          return { kind: "reset" };
        case "hang":
          if (fault.afterEffect === true) await run();
          return { kind: "silence" };
        case "refuse":
          return { kind: "answer", answer: refuse(fault.with ?? {}) };
        default:
          return { kind: "answer", answer: await run() };
      }
    },
  };
}

function arm<Effect, Refusal>(
  queues: Queues<Effect, Refusal>,
  effect: Effect,
  fault: Fault<Refusal>,
): ArmedFault {
  const entry: Armed<Refusal> = { fault, passed: 0, fired: 0, held: new AbortController() };
  queues.set(effect, [...(queues.get(effect) ?? []), entry]);
  return {
    get fired() {
      return entry.fired;
    },
    disarm() {
      remove(queues, effect, entry);
    },
    letGo() {
      entry.held.abort();
      entry.held = new AbortController();
    },
  };
}

function remove<Effect, Refusal>(
  queues: Queues<Effect, Refusal>,
  effect: Effect,
  entry: Armed<Refusal>,
): void {
  const rest = (queues.get(effect) ?? []).filter((other) => other !== entry);
  queues.set(effect, rest);
}

/** The first fault that is not a delay, after waiting for the delays before it. */
async function nextFault<Effect, Refusal>(
  queues: Queues<Effect, Refusal>,
  effect: Effect,
  closing: AbortSignal,
): Promise<Fault<Refusal> | undefined> {
  for (const entry of queues.get(effect) ?? []) {
    // While a delay ran, another request may have used this one up.
    if (!fire(queues, effect, entry)) continue;
    if (entry.fault.do !== "delay") return entry.fault;
    const signal = AbortSignal.any([closing, entry.held.signal]);
    await wait(entry.fault.ms, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

function fire<Effect, Refusal>(
  queues: Queues<Effect, Refusal>,
  effect: Effect,
  entry: Armed<Refusal>,
): boolean {
  if (queues.get(effect)?.includes(entry) !== true) return false;
  if (entry.passed < (entry.fault.after ?? 0)) {
    entry.passed += 1;
    return false;
  }
  entry.fired += 1;
  if (entry.fired >= (entry.fault.times ?? 1)) remove(queues, effect, entry);
  return true;
}

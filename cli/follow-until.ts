import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./api/client.ts";
import { exitCodes, Failure } from "./exit-codes.ts";
import { clearProgress, showProgress } from "./output/progress.ts";

/** Milliseconds without an answer after which following ends. The app may restart meanwhile. */
const patienceMs = 60_000;

/** What is followed, and how. */
export interface Subject<State> {
  readonly read: (client: Client) => Promise<State>;
  readonly hasEnded: (state: State) => boolean;
  /** The line of progress. */
  readonly format: (state: State, passedMs: number) => string;
  /** Milliseconds between two reads. */
  readonly pauseMs: (passedMs: number) => number;
  /** States as they come, before the first read. Ends when no more can come this way. */
  readonly listen?: (client: Client, until: AbortSignal | undefined) => AsyncIterable<State>;
  /** The message after Ctrl-C. */
  readonly goesOn: string;
}

export interface FollowOptions {
  /** Milliseconds. Undefined: until the end. */
  readonly timeoutMs: number | undefined;
  /** Connects with a signal that ends requests. */
  readonly connect: (signal: AbortSignal) => Client;
}

/**
 * Follows to the end, or until the time is over: then the last known state is returned. Throws Failure, also after Ctrl-C, and when no
 * state is known when the time is over.
 */
export async function followUntil<State>(
  subject: Subject<State>,
  { timeoutMs, connect }: FollowOptions,
): Promise<State> {
  const stop = new AbortController();
  const onSignal = () => {
    stop.abort(new Failure(subject.goesOn, exitCodes.interrupted));
  };
  process.once("SIGINT", onSignal);
  try {
    return await follow(subject, connect(stop.signal), { timeoutMs, signal: stop.signal });
  } catch (error) {
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    process.off("SIGINT", onSignal);
    // A request may still be under way.
    stop.abort();
    clearProgress();
  }
}

interface Limits {
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal;
}

async function follow<State>(
  subject: Subject<State>,
  client: Client,
  { timeoutMs = Infinity, signal }: Limits,
): Promise<State> {
  const began = Date.now();
  const passed = () => Date.now() - began;
  const until = timeoutMs === Infinity ? undefined : AbortSignal.timeout(timeoutMs);
  const left = () => (until?.aborted ? 0 : timeoutMs - passed());
  const states = readStates(subject, client, { passed, left, until, signal });
  try {
    return await readToEnd(subject, states, { passed, left, until });
  } finally {
    // Its connection may be open. A read that is under way ends with the signal.
    states.return(undefined).catch(() => undefined);
  }
}

async function readToEnd<State>(
  { hasEnded, format }: Subject<State>,
  states: AsyncGenerator<State, undefined>,
  { passed, left, until }: Omit<Time, "signal">,
): Promise<State> {
  let known: State | undefined;
  for (;;) {
    // A slow answer must not delay the end if a state is known.
    const next =
      known === undefined ? await states.next() : await untilAborted(states.next(), until);
    const state = next?.value ?? known;
    if (state !== undefined && (hasEnded(state) || left() <= 0)) return state;
    if (state !== undefined) showProgress(format(state, passed()));
    known = state;
  }
}

interface Time {
  /** Milliseconds since the beginning. */
  readonly passed: () => number;
  /** Milliseconds until the time is over; 0 or less when it is. */
  readonly left: () => number;
  readonly until: AbortSignal | undefined;
  readonly signal: AbortSignal;
}

/** One state after the other, without an end. Throws when the app is silent for too long, or until the time is over. */
async function* readStates<State>(
  { read, pauseMs, listen }: Subject<State>,
  client: Client,
  { passed, left, until, signal }: Time,
): AsyncGenerator<State, undefined> {
  let isKnown = false;
  for await (const state of listen?.(client, until) ?? []) {
    isKnown = true;
    yield state;
  }
  for (let heardAt = Date.now(); ;) {
    try {
      const state = await read(client);
      isKnown = true;
      heardAt = Date.now();
      yield state;
    } catch (error) {
      const mayReturn = error instanceof Failure && error.isTransient;
      const isGivenUp = Date.now() - heardAt > patienceMs || (!isKnown && left() <= 0);
      if (!mayReturn || isGivenUp) throw error;
    }
    const pause = Math.min(pauseMs(passed()), left());
    await sleep(Math.max(1, pause), undefined, { signal });
  }
}

/** What the work returns; undefined if the signal aborts before. */
async function untilAborted<Value>(
  work: Promise<Value>,
  signal: AbortSignal | undefined,
): Promise<Value | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  signal?.addEventListener("abort", () => {
    aborted.resolve(undefined);
  });
  return Promise.race([work, aborted.promise]);
}

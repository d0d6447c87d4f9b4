import { setTimeout } from "node:timers/promises";
import { ProblemError } from "./problem.ts";

/** Milliseconds. The platform cuts an answer after 230 s. */
const maxStreamMs = 200_000;
/** Milliseconds without an event after which a comment shows proxies that the stream is alive. */
const heartbeatMs = 15_000;
/** Milliseconds after which a client connects again. */
const reconnectMs = 2_000;
/** The platform answers 20 requests of an instance at a time, so streams must leave room for others. */
const maxStreams = 5;

/** One event. `id` comes back as `Last-Event-ID` when the client connects again. */
export interface StreamedEvent {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
}

export interface StreamClock {
  /** Milliseconds since any moment. */
  readonly now: () => number;
  /** Rejects when the signal aborts. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

const machineClock: StreamClock = {
  now: () => performance.now(),
  sleep: async (milliseconds, signal) => {
    await setTimeout(milliseconds, undefined, { signal });
  },
};

export interface EventSourceOptions {
  /** The next event that the client does not have; undefined if there is none now. Called again and again. */
  readonly next: () => Promise<StreamedEvent | undefined>;
  /** Whether nothing can follow the event. */
  readonly isLast: (event: StreamedEvent) => boolean;
  /** Milliseconds between two calls of `next`. */
  readonly pollMs: number;
  /** Aborts when the client leaves. */
  readonly left: AbortSignal;
  readonly clock?: StreamClock;
}

let open = 0;

/** A stream of server-sent events. Throws ProblemError if this instance has too many. */
export function openEventStream(options: EventSourceOptions): ReadableStream<Uint8Array> {
  if (open >= maxStreams) {
    const detail = `The instance streams to ${maxStreams} clients already, which is its limit. Poll the path without /events instead, or try again.`;
    throw new ProblemError("too-many-streams", detail, { headers: { "retry-after": "5" } });
  }
  open++;
  const events = writeEvents(options);
  const encoder = new TextEncoder();
  let isClosed = false;
  const close = () => {
    if (!isClosed) open--;
    isClosed = true;
  };
  // Nobody may read the stream of a client that has left.
  if (options.left.aborted) close();
  else options.left.addEventListener("abort", close, { once: true });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await events.next();
        if (done !== true) {
          controller.enqueue(encoder.encode(value));
          return;
        }
        close();
        controller.close();
      } catch (error) {
        close();
        controller.error(error);
      }
    },
    async cancel() {
      close();
      await events.return(undefined);
    },
  });
}

async function* writeEvents({
  next,
  isLast,
  pollMs,
  left,
  clock = machineClock,
}: EventSourceOptions): AsyncGenerator<string, undefined> {
  const began = clock.now();
  let saidAt = began;
  yield `retry: ${reconnectMs}\n\n`;
  while (!left.aborted) {
    const event = await next();
    if (event) {
      yield toText(event);
      if (isLast(event)) return undefined;
      saidAt = clock.now();
      continue;
    }
    const now = clock.now();
    if (now - began + pollMs > maxStreamMs) {
      yield ": connect again\n\n";
      return undefined;
    }
    if (now - saidAt >= heartbeatMs) {
      yield ": alive\n\n";
      saidAt = now;
    }
    await clock.sleep(pollMs, left).catch(() => undefined);
  }
  return undefined;
}

/** JSON has no line breaks, which would end the field. */
function toText({ id, name, data }: StreamedEvent): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

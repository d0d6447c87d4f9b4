import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterEach, describe, expect, test } from "vitest";
import {
  openEventStream,
  type StreamClock,
  type StreamedEvent,
} from "../../functions/http/event-stream.ts";

/** A clock whose sleep takes no time. */
function fakeClock(): StreamClock & { advance(milliseconds: number): void } {
  let now = 0;
  return {
    now: () => now,
    advance: (milliseconds) => {
      now += milliseconds;
    },
    sleep: async (milliseconds, signal) => {
      await Promise.resolve();
      signal.throwIfAborted();
      now += milliseconds;
    },
  };
}

const event = (id: number, name = "progress"): StreamedEvent => ({
  id: `e${id}`,
  name,
  data: { id },
});
const isLast = ({ name }: StreamedEvent) => name === "end";
const never = new AbortController().signal;

const opened: ReadableStream<Uint8Array>[] = [];
afterEach(async () => {
  for (const stream of opened.splice(0)) if (!stream.locked) await stream.cancel();
});

function open(
  next: () => Promise<StreamedEvent | undefined>,
  more: { readonly left?: AbortSignal; readonly clock?: StreamClock } = {},
): ReadableStream<Uint8Array> {
  const { left = never, clock = fakeClock() } = more;
  const stream = openEventStream({ next, isLast, pollMs: 1_000, left, clock });
  opened.push(stream);
  return stream;
}

/** Reads a stream to its end with the parser that clients use. */
async function read(stream: ReadableStream<Uint8Array>) {
  const events: EventSourceMessage[] = [];
  const comments: string[] = [];
  const retries: number[] = [];
  const parser = createParser({
    onEvent: (one) => events.push(one),
    onComment: (text) => comments.push(text.trim()),
    onRetry: (milliseconds) => retries.push(milliseconds),
  });
  parser.feed(await new Response(stream).text());
  return { events, comments, retries };
}

describe("A stream of events", () => {
  test("has each event with its id and its JSON, and ends after the last one", async () => {
    const events = [event(1), undefined, event(2), event(3, "end"), event(4)];
    const { events: got, retries } = await read(open(() => Promise.resolve(events.shift())));
    expect(got).toEqual([
      { id: "e1", event: "progress", data: '{"id":1}' },
      { id: "e2", event: "progress", data: '{"id":2}' },
      { id: "e3", event: "end", data: '{"id":3}' },
    ]);
    expect(retries).toEqual([2_000]);
    expect(events).toHaveLength(1);
  });

  test("says every 15 seconds that it is alive, and ends before 200 seconds", async () => {
    const clock = fakeClock();
    const { comments } = await read(open(() => Promise.resolve(undefined), { clock }));
    expect(comments.filter((text) => text === "alive")).toHaveLength(13);
    expect(comments.at(-1)).toBe("connect again");
    expect(clock.now()).toBeLessThanOrEqual(200_000);
    expect(clock.now()).toBeGreaterThan(195_000);
  });

  test("ends when its client leaves, although nothing happens", async () => {
    const leaving = new AbortController();
    const clock = fakeClock();
    let polls = 0;
    const stream = open(
      () => {
        if (++polls === 5) leaving.abort();
        return Promise.resolve(undefined);
      },
      { left: leaving.signal, clock },
    );
    await read(stream);
    expect(polls).toBe(5);
  });
});

describe("An instance", () => {
  const idle = () => Promise.resolve(undefined);
  const openFive = () => Array.from({ length: 5 }, () => open(idle));

  test("refuses the sixth stream, and says to poll", () => {
    openFive();
    expect(() => open(idle)).toThrow("streams to 5 clients already");
  });

  test.each([
    ["ends", async (stream: ReadableStream<Uint8Array>) => read(stream)],
    ["is cancelled", async (stream: ReadableStream<Uint8Array>) => stream.cancel()],
  ])("has room again when a stream %s", async (_how, end) => {
    const [first] = openFive();
    if (!first) throw new Error("no stream");
    await end(first);
    open(idle);
    expect(() => open(idle)).toThrow("streams to 5 clients already");
  });

  test("has room again when a stream fails", async () => {
    const failing = open(() => Promise.reject(new Error("a bug")));
    Array.from({ length: 4 }, () => open(idle));
    await expect(read(failing)).rejects.toThrow("a bug");
    open(idle);
  });

  test("has room again when clients leave whose streams nobody reads", () => {
    const leaving = new AbortController();
    Array.from({ length: 4 }, () => open(idle, { left: leaving.signal }));
    leaving.abort();
    open(idle, { left: leaving.signal });
    openFive();
    expect(() => open(idle)).toThrow("streams to 5 clients already");
  });

  test("has room again when a client leaves", async () => {
    const leaving = new AbortController();
    const stream = open(idle, { left: leaving.signal });
    Array.from({ length: 4 }, () => open(idle));
    leaving.abort();
    await read(stream);
    open(idle);
  });
});

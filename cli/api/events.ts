import type { Rotation } from "./endpoints.ts";
import { isType } from "./problems.ts";
import type { Means } from "./send.ts";

/** Milliseconds without anything from the app, which sends a comment every 15 seconds, after which a stream counts as lost. */
const silenceMs = 40_000;

interface RotationEvent {
  readonly id: string;
  readonly rotation: Rotation;
}

/** The app, or something before it, does not stream: the rotation must be polled. */
export class NoStreamError extends Error {
  override readonly name = "NoStreamError";
}

export interface EventOptions {
  /** The id of the last event that is known. */
  readonly lastId?: string | undefined;
  /** Ends the stream without an error. */
  readonly until?: AbortSignal | undefined;
}

/**
 * The events of one connection. Ends when the app ends the stream, after 200 seconds or after the last event. Throws NoStreamError for
 * any other answer than a stream, and if the connection is lost.
 */
export async function* readRotationEvents(
  path: string,
  { lastId, until }: EventOptions,
  { connection, signal }: Means,
): AsyncGenerator<RotationEvent, undefined> {
  const silence = watchSilence();
  const ends = [silence.signal, signal, until].filter((one) => one !== undefined);
  try {
    const body = await open(path, lastId, { connection, signal: AbortSignal.any(ends) });
    const { createParser } = await import("eventsource-parser");
    const found: RotationEvent[] = [];
    const parser = createParser({
      onEvent({ id = "", data }) {
        // The app answers with what its schemas describe.
        found.push({ id, rotation: JSON.parse(data) as Rotation });
      },
    });
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      silence.restart();
      parser.feed(decoder.decode(chunk, { stream: true }));
      yield* found.splice(0);
    }
    return undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (until?.aborted === true) return undefined;
    throw error instanceof NoStreamError ? error : new NoStreamError("The connection was lost.");
  } finally {
    silence.end();
  }
}

const streamType = "text/event-stream";

async function open(
  path: string,
  lastId: string | undefined,
  { connection, signal }: Pick<Means, "connection"> & { readonly signal: AbortSignal },
): Promise<AsyncIterable<Uint8Array>> {
  const { status, headers, body } = await fetch(connection.base + path, {
    headers: {
      accept: streamType,
      ...(lastId !== undefined && { "last-event-id": lastId }),
      ...(await connection.signIn()),
    },
    signal,
    redirect: "manual",
  });
  // The types of the browser do not know that a stream can be iterated.
  if (status === 200 && body && isType(headers, streamType)) return body as never;
  await body?.cancel();
  throw new NoStreamError(`The app answers ${status}.`);
}

/** Aborts the signal unless it is restarted in time. */
function watchSilence() {
  const lost = new AbortController();
  const watch = () =>
    setTimeout(() => {
      lost.abort();
    }, silenceMs);
  let timer = watch();
  const end = () => {
    clearTimeout(timer);
  };
  const restart = () => {
    end();
    timer = watch();
  };
  return { signal: lost.signal, restart, end };
}

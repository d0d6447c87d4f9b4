import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, Environment } from "../connection/connection.ts";
import type { Failure } from "../exit-codes.ts";
import { whileWaiting } from "../output/progress.ts";
import { type RawAnswer, readRetryAfter } from "./problems.ts";
import { explainNoAnswer } from "./unreachable.ts";

export interface RawRequest {
  readonly method: "GET" | "POST";
  /** Begins with `/api/`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether the app does the same when it gets the request twice. Only then is it sent again. */
  readonly isRepeatable: boolean;
}

export interface Means {
  readonly connection: Connection;
  readonly environment: Environment;
  /** Milliseconds for one answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

const maxTries = 4;

/** Seconds. A longer wait is left to the operator. */
const maxWait = 20;

/** Sends a request, and again a few times if the app is busy. Returns any answer. Throws Failure without one. */
export async function send(request: RawRequest, means: Means): Promise<RawAnswer> {
  for (let tries = 1; ; tries++) {
    const answer = await whileWaiting(
      `Waiting for ${means.connection.host} …`,
      sendOnce(request, means),
    );
    // A request that was refused for its number did nothing.
    const mayRepeat = request.isRepeatable || answer.status === 429;
    const wait = mayRepeat && tries < maxTries ? waitAfter(answer, tries) : undefined;
    if (wait === undefined) return answer;
    await whileWaiting(
      `The app is busy (${answer.status}). Trying again in ${wait} s …`,
      sleep(wait * 1_000, undefined, means.signal && { signal: means.signal }),
    );
  }
}

async function sendOnce(
  { method, path, headers, body }: RawRequest,
  { connection, environment, timeoutMs, signal }: Means,
): Promise<RawAnswer> {
  const signIn = await connection.signIn();
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(connection.base + path, {
      method,
      headers: { accept: "application/json", ...headers, ...signIn },
      ...(body !== undefined && { body }),
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      // A redirect would carry the key to another place.
      redirect: "manual",
    });
    return {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
    };
  } catch (error) {
    signal?.throwIfAborted();
    const failure: Failure = explainNoAnswer(error, connection, {
      seconds: timeoutMs / 1_000,
      environment,
    });
    throw failure;
  }
}

/** Seconds to wait before the next try; undefined when another try makes no sense. */
function waitAfter({ status, headers }: RawAnswer, tries: number): number | undefined {
  const suggested = readRetryAfter(headers);
  if (suggested !== undefined && suggested > maxWait) return undefined;
  if (status === 429 || status === 502 || status === 503 || status === 504) {
    return suggested ?? tries;
  }
  return status === 409 ? suggested : undefined;
}

import type { IncomingMessage } from "node:http";
import { exchange, NoReplyError } from "../common/connection/https-line.ts";
import { findPlace, type WebhookOptions } from "./webhook-options.ts";

export { NoReplyError };

/** Bytes. An answer is a word and a few sentences. */
const maxReplyBytes = 64 * 1024;

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  /** Text of the header Retry-After. */
  readonly retryAfter: string | undefined;
  readonly body: string;
}

export interface Post {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds until the connection must be open, TLS included. */
  readonly connectWithin: number | undefined;
}

/** Sends one request as `exchange` does, and reads the reply. Throws NoReplyError, and ConfigError for an unusable CA file. */
export function post(
  options: WebhookOptions,
  { connectWithin, body, headers }: Post,
  signal: AbortSignal,
): Promise<Reply> {
  const { host, pathname } = new URL(options.url);
  const place = { ...findPlace(options), caFile: options.tls.caFile };
  const asked = {
    ...{ method: "POST" as const, path: pathname, body, connectWithin },
    headers: {
      ...headers,
      ...{ host, accept: "application/json" },
      "content-length": Buffer.byteLength(body),
    },
  };
  return exchange(place, asked, readReply, signal);
}

async function readReply(response: IncomingMessage): Promise<Reply> {
  return {
    status: response.statusCode ?? 0,
    contentType: response.headers["content-type"] ?? "",
    retryAfter: response.headers["retry-after"],
    body: await readBody(response),
  };
}

async function readBody(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) throw new TypeError("a part of a body is bytes");
    length += part.byteLength;
    if (length > maxReplyBytes) {
      throw new NoReplyError(`the reply has more than ${maxReplyBytes / 1024} KiB`, true);
    }
    parts.push(part);
  }
  if (!response.complete) throw new NoReplyError("the reply ended early", true);
  return Buffer.concat(parts).toString();
}

import { type IncomingMessage, request } from "node:http";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { connectLimit } from "../common/connection/connect-limit.ts";
import { hasFired } from "../common/connection/heard-signal.ts";
import { describeConnectionError } from "../common/connection/lost-line.ts";
import { limitTcp } from "../common/connection/tcp-limit.ts";
import { makeSecureContext } from "../common/connection/tls.ts";
import { findPlace, type WebhookOptions } from "./webhook-options.ts";

/** Bytes. An answer is a word and a few sentences. */
const maxReplyBytes = 64 * 1024;

/** Why there was no reply, in words that contain nothing from the other side. `sent`: the request may have arrived. */
export class NoReplyError extends Error {
  override readonly name = "NoReplyError";
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

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

/**
 * Sends one request on a connection of its own, and closes it. Follows no redirect. Nothing is sent before the certificate of the server
 * has been verified. Throws NoReplyError, and ConfigError for an unusable CA file.
 */
export async function post(
  options: WebhookOptions,
  { connectWithin, ...sending }: Post,
  signal: AbortSignal,
): Promise<Reply> {
  const socket = await openLine(options, connectWithin, signal);
  const drop = () => socket.destroy();
  signal.addEventListener("abort", drop, { once: true });
  try {
    if (signal.aborted) throw new NoReplyError("timed out", false);
    return await exchange(socket, new URL(options.url), sending);
  } catch (error) {
    if (error instanceof NoReplyError) throw error;
    const why = hasFired(signal) ? "timed out" : describeConnectionError(error);
    throw new NoReplyError(why, true);
  } finally {
    signal.removeEventListener("abort", drop);
    socket.destroy();
  }
}

/** Opens a connection to the endpoint, with a verified certificate. */
async function openLine(
  options: WebhookOptions,
  connectWithin: number | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const secureContext = await makeSecureContext(options.tls.caFile);
  if (signal.aborted) throw new NoReplyError("timed out", false);
  const { host, port } = findPlace(options);
  const socket = connect({
    ...{ host, port, secureContext, rejectUnauthorized: true, ALPNProtocols: ["http/1.1"] },
    ...(isIP(host) === 0 && { servername: host }),
  });
  if (connectWithin === undefined) limitTcp(socket);
  const drop = () => socket.destroy(new Error("timed out"));
  const limit = connectLimit(connectWithin, drop);
  signal.addEventListener("abort", drop, { once: true });
  try {
    await new Promise((resolve, reject) => {
      socket.once("secureConnect", resolve).once("error", reject);
      socket.once("close", () => {
        reject(new Error("closed"));
      });
    });
    return socket;
  } catch (error) {
    socket.destroy();
    const late = limit.reached() ?? (hasFired(signal) ? "timed out" : undefined);
    throw new NoReplyError(late ?? describeConnectionError(error, "options.tls.caFile"), false);
  } finally {
    limit.end();
    signal.removeEventListener("abort", drop);
  }
}

async function exchange(
  socket: TLSSocket,
  { host, pathname }: URL,
  { headers, body }: Omit<Post, "connectWithin">,
): Promise<Reply> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      method: "POST",
      path: pathname,
      headers: {
        ...headers,
        ...{ host, accept: "application/json", "accept-encoding": "identity", connection: "close" },
        "content-length": Buffer.byteLength(body),
      },
    });
    asked.once("response", resolve).on("error", reject);
    // A server that closes the line without a reply would otherwise leave the request waiting.
    socket.once("close", () => {
      reject(new Error("closed"));
    });
    asked.end(body);
  });
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

import { type IncomingMessage, request } from "node:http";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { connectLimit } from "./connect-limit.ts";
import { hasFired } from "./heard-signal.ts";
import { describeConnectionError } from "./lost-line.ts";
import { limitTcp } from "./tcp-limit.ts";
import { makeSecureContext } from "./tls.ts";

/** Why there was no reply, in words that contain nothing from the other side. `sent`: the request may have arrived. */
export class NoReplyError extends Error {
  override readonly name = "NoReplyError";
  readonly sent: boolean;

  constructor(message: string, sent: boolean) {
    super(message);
    this.sent = sent;
  }
}

export interface HttpsPlace {
  readonly host: string;
  readonly port: number;
  /** A PEM file with an authority to trust instead of the well-known ones. */
  readonly caFile: string | undefined;
}

export interface HttpsRequest {
  readonly method: "GET" | "HEAD" | "POST";
  /** From the host on. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: string;
  /** Milliseconds until the connection must be open, TLS included. */
  readonly connectWithin: number | undefined;
}

/**
 * Sends one request on a connection of its own, hands the response to `read`, and closes the connection. Follows no redirect. Nothing is
 * sent before the certificate of the server has been verified. Throws NoReplyError, and ConfigError for an unusable CA file.
 */
export async function exchange<Result>(
  place: HttpsPlace,
  { connectWithin, ...sending }: HttpsRequest,
  read: (response: IncomingMessage) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result> {
  const socket = await openLine(place, connectWithin, signal);
  const drop = () => socket.destroy();
  signal.addEventListener("abort", drop, { once: true });
  try {
    if (signal.aborted) throw new NoReplyError("timed out", false);
    return await read(await send(socket, sending));
  } catch (error) {
    if (error instanceof NoReplyError) throw error;
    const why = hasFired(signal) ? "timed out" : describeConnectionError(error);
    throw new NoReplyError(why, true);
  } finally {
    signal.removeEventListener("abort", drop);
    socket.destroy();
  }
}

/** Opens a connection, with a verified certificate. */
async function openLine(
  { host, port, caFile }: HttpsPlace,
  connectWithin: number | undefined,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const secureContext = await makeSecureContext(caFile);
  if (signal.aborted) throw new NoReplyError("timed out", false);
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

function send(
  socket: TLSSocket,
  { method, path, headers, body }: Omit<HttpsRequest, "connectWithin">,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({
      createConnection: () => socket,
      ...{ method, path },
      headers: { ...headers, "accept-encoding": "identity", connection: "close" },
    });
    asked.once("response", resolve).on("error", reject);
    // A server that closes the line without a reply would otherwise leave the request waiting.
    socket.once("close", () => {
      reject(new Error("closed"));
    });
    asked.end(body);
  });
}

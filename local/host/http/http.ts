import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  type Received,
  type RpcHttpRequest,
  type RpcHttpResponse,
  toBytes,
  toNullableMapping,
  toSetCookie,
} from "../app/rpc-data.ts";
import { type HostLog, toErrorMessage } from "../log.ts";

/** A request whose body has been read. */
export interface HttpCall {
  method: string;
  /** Percent-encoded, without the query. */
  path: string;
  url: URL;
  headers: IncomingMessage["headers"];
  body: Buffer;
}

export interface HttpReply {
  status: number;
  headers?: Record<string, string | string[]>;
  /** A stream is sent as it comes. */
  body?: Uint8Array | string | Readable;
}

export interface HttpServer {
  /** `http://127.0.0.1:<port>`. */
  url: string;
  /** Refuses new connections, and ends streams of events. Resolves when all open requests have been answered. */
  close(): Promise<void>;
  /** Cuts the connections that are still open. */
  abort(): void;
}

/** The platform's front end refuses longer URLs with 414. */
const maximumUrlLength = 8_192;

export interface HttpServerOptions {
  port: number;
  /** Bytes. A request with a longer body gets 413, and `answer` is not called. */
  maximumBody: number;
  answer: (call: HttpCall) => Promise<HttpReply>;
  log: HostLog;
}

/** Serves `answer` on the loopback interface. Port 0 chooses a free port. */
export async function serveHttp(options: HttpServerOptions): Promise<HttpServer> {
  let closing = false;
  const streams = new Set<Readable>();
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    void respond(request, response, options, { isClosing: () => closing, streams });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close() {
      closing = true;
      for (const stream of streams) stream.destroy();
      return new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeIdleConnections();
      });
    },
    abort() {
      server.closeAllConnections();
    },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpServerOptions,
  serving: Serving,
): Promise<void> {
  try {
    const reply = await replyTo(request, options);
    // A kept-alive connection would delay the server's close for seconds.
    if (serving.isClosing()) response.shouldKeepAlive = false;
    for (const [name, value] of Object.entries(reply.headers ?? {})) {
      response.setHeader(name, value);
    }
    response.writeHead(reply.status);
    if (reply.body instanceof Readable) await sendStream(reply.body, response, serving);
    else response.end(reply.body);
  } catch (error) {
    options.log("error", `An HTTP request could not be answered: ${toErrorMessage(error)}`);
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    if (response.headersSent) response.destroy();
    else response.writeHead(500).end();
  }
}

interface Serving {
  isClosing: () => boolean;
  /** Streams of events that are being sent. They would go on for minutes. */
  streams: Set<Readable>;
}

/** A client that leaves ends the stream, and so does the function. */
async function sendStream(
  stream: Readable,
  response: ServerResponse,
  { isClosing, streams }: Serving,
): Promise<void> {
  if (isEventStream(response)) streams.add(stream);
  response.flushHeaders();
  if (isClosing() && isEventStream(response)) stream.destroy();
  await pipeline(stream, response).catch(() => undefined);
  streams.delete(stream);
}

const isEventStream = (response: ServerResponse): boolean =>
  String(response.getHeader("content-type")).startsWith("text/event-stream");

async function replyTo(request: IncomingMessage, options: HttpServerOptions): Promise<HttpReply> {
  const target = request.url ?? "/";
  if (target.length > maximumUrlLength) return { status: 414 };
  const base = `http://${request.headers.host ?? "127.0.0.1"}`;
  const url = target.startsWith("/") && URL.canParse(base) ? URL.parse(`${base}${target}`) : null;
  if (url === null) return { status: 400 };
  const body = await readBody(request, options.maximumBody);
  if (body === undefined) return { status: 413 };
  const path = target.replace(/[?#].*$/s, "");
  const { method = "GET", headers } = request;
  return options.answer({ method, path, url, headers, body });
}

/**
 * Reads the body to its end; returns undefined when it is too long. Closing a connection with unread data resets it, and the
 * caller would not see the 413.
 */
async function readBody(request: IncomingMessage, maximum: number): Promise<Buffer | undefined> {
  let chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= maximum) chunks.push(chunk);
    else chunks = [];
  }
  return length > maximum ? undefined : Buffer.concat(chunks);
}

/** Headers with several values are joined by a comma. */
export function joinHeaders({ headers }: Pick<HttpCall, "headers">): [string, string][] {
  return Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(",") : value]],
  );
}

/**
 * Converts the request for a function. As in the real host, a body without a content length, such as a chunked one, arrives
 * empty.
 */
export function toRpcRequest(
  call: HttpCall,
  parameters: Readonly<Record<string, string>>,
): RpcHttpRequest {
  const headers = joinHeaders(call);
  const hasLength = Number(call.headers["content-length"] ?? 0) > 0;
  return {
    method: call.method,
    url: call.url.href,
    nullableHeaders: toNullableMapping(headers),
    nullableQuery: toNullableMapping(call.url.searchParams),
    nullableParams: toNullableMapping(Object.entries(parameters)),
    ...(hasLength ? { body: { bytes: call.body } } : {}),
  };
}

/** Converts the return value of a function to a reply. No value becomes 204. */
export function toReply(returned: Received): HttpReply {
  const http = returned?.http;
  if (http === undefined || !isResponse(http)) return { status: 204 };
  const cookies = (http.cookies ?? []).map(toSetCookie);
  const headers: Record<string, string | string[]> = { ...http.headers };
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  return { status: Number(http.statusCode ?? "200"), headers, body: toBytes(http.body) };
}

const isResponse = (http: object): http is RpcHttpResponse => !("url" in http);

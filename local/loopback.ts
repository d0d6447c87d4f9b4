import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";

/** A request with its complete body. */
export interface LoopbackRequest {
  readonly method: string;
  /** The percent-encoded path without the query. */
  readonly path: string;
  /** Decoded names and values: Azure clients send `api%2Dversion`. */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Undefined when the body is larger than the server's limit. */
  readonly body: Buffer | undefined;
}

export interface LoopbackReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent unchanged instead of `json`. `headers` must contain its content type. */
  readonly text?: string;
}

/** "hang-up" cuts the connection without a reply. */
export type LoopbackAnswer = LoopbackReply | "hang-up";

/** `closing` fires when the server closes. */
export type LoopbackHandler = (
  request: LoopbackRequest,
  closing: AbortSignal,
) => Promise<LoopbackAnswer>;

export interface LoopbackOptions {
  /** Default: 0, a free port. */
  readonly port?: number | undefined;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Makes the handler when the server's URL is known, before the first request. */
  handler(url: string): LoopbackHandler;
}

export interface LoopbackServer {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string;
  /** Cuts open connections. */
  close(): Promise<void>;
}

/** An HTTP server that only this machine can reach. */
export async function serveOnLoopback(options: LoopbackOptions): Promise<LoopbackServer> {
  const closing = new AbortController();
  const server = createServer();
  const url = await new Promise<string>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve(`http://127.0.0.1:${String(port)}`);
    });
  });
  const handler = options.handler(url);
  server.on("request", (request, response) => {
    void respond(request, response, options.bodyLimit, (whole) => handler(whole, closing.signal));
  });
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        closing.abort();
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  bodyLimit: number,
  answerTo: (request: LoopbackRequest) => Promise<LoopbackAnswer>,
): Promise<void> {
  let answer: LoopbackAnswer;
  try {
    answer = await answerTo(await readRequest(request, bodyLimit));
  } catch {
    // The client disconnected during its body, or the handler has a bug. Handlers answer expected failures themselves.
    answer = { status: 500 };
  }
  if (answer === "hang-up") {
    response.destroy();
    return;
  }
  const json = answer.json === undefined ? undefined : JSON.stringify(answer.json);
  response.writeHead(answer.status, {
    ...(json === undefined ? {} : { "content-type": "application/json; charset=utf-8" }),
    ...answer.headers,
  });
  response.end(answer.text ?? json ?? "");
}

async function readRequest(request: IncomingMessage, limit: number): Promise<LoopbackRequest> {
  const url = request.url ?? "/";
  const mark = url.indexOf("?");
  return {
    method: request.method ?? "GET",
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    headers: request.headers,
    body: await readBody(request, limit),
  };
}

/** Reads the body to its end even beyond the limit, so that the client receives the reply. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size > limit ? undefined : Buffer.concat(chunks);
}

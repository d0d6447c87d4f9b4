import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";

/** One request, read whole. */
export interface LoopbackRequest {
  readonly method: string;
  /** As sent, still percent-encoded, without the query. */
  readonly path: string;
  /** Names and values decoded: Azure clients send `api%2Dversion`. */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Undefined when it was larger than the server's limit. */
  readonly body: Buffer | undefined;
}

export interface LoopbackReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, in the place of `json`; its content type is among the headers. */
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
  /** 0, the default, takes a free one. */
  readonly port?: number | undefined;
  /** Bytes. */
  readonly bodyLimit: number;
  /** Makes the handler once the server's own address is known, before the first request. */
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
    // The client went away in the middle of its body, or the handler has a bug: either way there
    // is nothing true to say. The handlers word their own expected failures.
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

/** Reads on past the limit without keeping anything, so that the sender gets to see its reply. */
async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
  }
  return size > limit ? undefined : Buffer.concat(chunks);
}

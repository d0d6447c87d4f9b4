import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";
import { listen } from "../../conformance/faults/listening.ts";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  /** Host and port. */
  readonly host: string;
  readonly received: Received[];
  /** The status of its answers; 0 never answers, -1 resets the connection. */
  status: number;
  close(): Promise<void>;
}

/** A remote HTTP server that keeps its requests. Every answer has a redirect and a long body. */
export async function startReceiver(): Promise<Receiver> {
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    receiver.received.push({
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: await text(request),
    });
    if (receiver.status === -1) response.destroy();
    if (receiver.status <= 0) return;
    response.writeHead(receiver.status, { location: "/elsewhere" });
    response.end("what a receiver says is of no interest ".repeat(1000));
  }

  const listening = await listen(
    createServer((request, response) => {
      respond(request, response).catch(() => response.destroy());
    }),
  );
  const host = `127.0.0.1:${listening.port}`;
  const receiver: Receiver = {
    url: `http://${host}`,
    host,
    received: [],
    status: 204,
    close: () => listening.close(),
  };
  return receiver;
}

const troubles = { "401": 401, "500": 500, "hang-up": -1, redirect: 307, silence: 0 };
export type Trouble = keyof typeof troubles | "gone";

/** One receiver for each way in which the other end can fail. */
export async function startTroubles() {
  const receivers = new Map<Trouble, Receiver>();
  for (const [trouble, status] of Object.entries({ ...troubles, gone: 204 })) {
    const receiver = await startReceiver();
    receiver.status = status;
    receivers.set(trouble as Trouble, receiver);
  }
  await receivers.get("gone")?.close();
  return {
    url: (trouble: Trouble) => receivers.get(trouble)?.url ?? "",
    received: (trouble: Trouble) => receivers.get(trouble)?.received ?? [],
    close: async () => {
      await Promise.all([...receivers.values()].map((receiver) => receiver.close()));
    },
  };
}

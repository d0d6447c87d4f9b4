import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { startCallee } from "./calls.ts";

/** A server that is dead in one of the ways that cost whoever waits for it. */
export interface DeadServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Takes every connection and never says anything. */
export async function startSilentServer(): Promise<DeadServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined).resume());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

/** Answers no SYN, as an address that a firewall swallows: the backlog of a listener that accepts nothing is filled. */
export async function startBlackhole(): Promise<DeadServer> {
  const callee = startCallee("blackhole.ts");
  const sockets: Socket[] = [];
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await callee.close();
  };
  try {
    const port = z.number().parse(await callee.call("listen"));
    // It stands still a moment after it has told its port.
    await wait(300);
    await fillBacklog(port, sockets);
    return { port, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const mostConnections = 64;
const unansweredMs = 500;

/** Keeps opening connections until one is not answered any more. */
async function fillBacklog(port: number, sockets: Socket[]): Promise<void> {
  while (sockets.length < mostConnections) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    sockets.push(socket);
    const connected = once(socket, "connect").then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([connected, wait(unansweredMs, false)]))) return;
  }
  throw new Error(`The backlog takes more than ${mostConnections} connections.`);
}

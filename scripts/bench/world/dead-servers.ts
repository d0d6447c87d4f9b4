import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { startCallee } from "./calls.ts";
import { listeningPort } from "./listening-port.ts";

/** Servers that are dead in one of the ways that cost whoever waits for them. */
export interface DeadServers {
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** Take every connection and never say anything. */
export async function startSilentServers(count: number): Promise<DeadServers> {
  const sockets = new Set<Socket>();
  const servers = Array.from({ length: count }, () =>
    createServer((socket) => {
      sockets.add(socket.on("error", () => undefined).resume());
    }).listen(0, "127.0.0.1"),
  );
  await Promise.all(servers.map((server) => once(server, "listening")));
  return {
    ports: servers.map(listeningPort),
    async close() {
      for (const socket of sockets) socket.destroy();
      const closed = Promise.all(servers.map((server) => once(server, "close")));
      for (const server of servers) server.close();
      await closed;
    },
  };
}

/** Answer no SYN, as addresses that a firewall swallows: the backlog of listeners that accept nothing is filled. */
export async function startBlackholes(count: number): Promise<DeadServers> {
  const callee = startCallee("blackholes.ts");
  const sockets: Socket[] = [];
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await callee.close();
  };
  try {
    const ports = z.array(z.number()).parse(await callee.call("listen", count));
    // They stand still a moment after they have told their ports.
    await wait(300);
    await Promise.all(ports.map((port) => fillBacklog(port, sockets)));
    return { ports, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const mostConnections = 64;
const unansweredMs = 500;

/** Keeps opening connections until one is not answered any more. */
async function fillBacklog(port: number, sockets: Socket[]): Promise<void> {
  for (let opened = 0; opened < mostConnections; opened++) {
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

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { startCallee } from "./calls.ts";
import { listeningPort } from "./listening-port.ts";

/** Servers that do not answer, so that their clients wait until a timeout. */
export interface DeadServers {
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** Starts servers that accept every connection and never answer. */
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

/** Starts servers that answer no SYN, as behind a firewall that drops packets: the backlog of each listener is full. */
export async function startBlackholes(count: number): Promise<DeadServers> {
  const callee = startCallee("blackholes.ts");
  const sockets: Socket[] = [];
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await callee.close();
  };
  try {
    const ports = z.array(z.number()).parse(await callee.call("listen", count));
    // The event loops are blocked only a moment after the ports are reported.
    await wait(300);
    await Promise.all(ports.map((port) => fillBacklog(port, sockets)));
    return { ports, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const maxConnections = 64;
const unansweredMs = 500;

/** Opens connections until one gets no answer. */
async function fillBacklog(port: number, sockets: Socket[]): Promise<void> {
  for (let opened = 0; opened < maxConnections; opened++) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    sockets.push(socket);
    const connected = once(socket, "connect").then(
      () => true,
      () => false,
    );
    if (!(await Promise.race([connected, wait(unansweredMs, false)]))) return;
  }
  throw new Error(`The backlog takes more than ${maxConnections} connections.`);
}

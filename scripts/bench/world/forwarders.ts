import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { listeningPort } from "./listening-port.ts";

/** Ports that lead to the same server. For Keyturn, each is a server of its own. */
export interface Forwarders {
  readonly ports: readonly number[];
  close(): Promise<void>;
}

/** Forwards connections from `count` new ports on 127.0.0.1 to `port`. */
export async function startForwarders(port: number, count: number): Promise<Forwarders> {
  const sockets = new Set<Socket>();
  const servers = await Promise.all(
    Array.from({ length: count }, () => startForwarder(port, sockets)),
  );
  return {
    ports: servers.map(listeningPort),
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    },
  };
}

async function startForwarder(port: number, sockets: Set<Socket>): Promise<Server> {
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

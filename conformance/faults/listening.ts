import type { Server, Socket } from "node:net";
import { TLSSocket } from "node:tls";

export interface Connections {
  /** Connections open now. */
  readonly open: number;
  /** Connections ever accepted. */
  readonly total: number;
}

export interface Listening {
  readonly port: number;
  readonly connections: Connections;
  /** Stops listening and resets whatever is still open. */
  close(): Promise<void>;
}

/** Listens on a port of 127.0.0.1, by default a free one, and counts connections. */
export async function listen(server: Server, port = 0): Promise<Listening> {
  const open = new Set<Socket>();
  let total = 0;
  server.on("connection", (socket: Socket) => {
    total += 1;
    open.add(socket);
    // Clients and faults reset connections often; a double must survive that.
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening on TCP");
  return {
    port: address.port,
    connections: {
      get open() {
        return open.size;
      },
      get total() {
        return total;
      },
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Resets a connection: the other side sees ECONNRESET, or a TLS stream cut short. */
export function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

import type { Server } from "node:net";

/** Returns the TCP port of a listening server. */
export function listeningPort(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  return address.port;
}

import { once } from "node:events";
import { createServer } from "node:net";

/** Returns the port of the last run if it is free, so that addresses do not change; otherwise 0, for any free port. */
export async function portAgain(port: number | undefined): Promise<number> {
  return port !== undefined && (await isFree(port)) ? port : 0;
}

/** Whether this process can listen on the port, on loopback. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}

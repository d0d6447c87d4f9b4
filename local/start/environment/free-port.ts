import { once } from "node:events";
import { createServer } from "node:net";

/** The same port as last time, so that addresses stay what they were; 0, for any, when somebody has it now. */
export async function portAgain(port: number | undefined): Promise<number> {
  return port !== undefined && (await isFree(port)) ? port : 0;
}

/** Whether this process may listen there, on loopback. */
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

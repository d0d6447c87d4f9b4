import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { z } from "zod";
import { readJson, replaceJson } from "./kept-file.ts";

const port = z.int().min(1).max(65_535);

const shape = z.object({
  topicKey: z.string().min(20),
  ports: z.object({ vault: port, topic: port, postgres: port, functions: port }).partial(),
});

/** The ports and the key that every start reuses, so that noted addresses stay valid. */
export type Addresses = z.output<typeof shape>;

export async function readAddresses(file: string): Promise<Addresses> {
  const kept = await readJson(file, shape);
  return kept ?? { topicKey: randomBytes(32).toString("base64"), ports: {} };
}

export const keepAddresses = (file: string, addresses: Addresses): Promise<void> =>
  replaceJson(file, addresses);

/** Returns the port of the last run if it is free, so that addresses do not change; otherwise 0, for any free port. */
export async function reusePort(port: number | undefined): Promise<number> {
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

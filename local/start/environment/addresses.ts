import { randomBytes } from "node:crypto";
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

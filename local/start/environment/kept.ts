import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { z } from "zod";

/** Returns undefined when the file does not exist or has another shape. */
export function readJson<Shape>(file: string, shape: z.ZodType<Shape>): Shape | undefined {
  try {
    return shape.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

/**
 * Writes a private file and renames it into place, so that no reader sees half of it. Blocks, so that two writers in this
 * process cannot use the same temporary file at once.
 */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function replaceJson(file: string, value: unknown): void {
  replaceFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

const port = z.int().min(1).max(65_535);

const addressesShape = z.object({
  topicKey: z.string().min(20),
  ports: z
    .object({
      ...{ vault: port, topic: port, postgres: port, functions: port },
      ...{ resourceManager: port, openAi: port, graph: port, logIn: port },
    })
    .partial(),
});

/** The ports and the key that every start reuses, so that noted addresses stay valid. */
export type Addresses = z.output<typeof addressesShape>;

export function readAddresses(file: string): Addresses {
  const fresh = { topicKey: randomBytes(32).toString("base64"), ports: {} };
  return readJson(file, addressesShape) ?? fresh;
}

/** Returns the port of the last run if it is free, so that addresses do not change; otherwise 0, for any free port. */
export async function choosePort(last: number | undefined): Promise<number> {
  return last !== undefined && (await isFree(last)) ? last : 0;
}

/** Whether this process can listen on the port, on loopback. */
export async function isFree(number: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(number, "127.0.0.1");
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return true;
  } catch {
    return false;
  }
}

/** The content of environment.json, for tools and tests. */
export const environmentShape = z.object({
  functions: z.object({
    /** `http://127.0.0.1:PORT`; the API is below `/api`. */
    url: z.string(),
    /** For the header `x-functions-key`. */
    key: z.string(),
  }),
  keyVault: z.object({ url: z.string() }),
  /** The environment variables that `ManagedIdentityCredential` reads. */
  identity: z.object({ IDENTITY_ENDPOINT: z.string(), IDENTITY_HEADER: z.string() }),
  storage: z.object({ connectionString: z.string() }),
  /** The custom topic that Keyturn publishes to; `GET url/events` with the header `aeg-sas-key` reads it. */
  events: z.object({ url: z.string(), endpoint: z.string(), key: z.string() }),
  /** Each entry has the log-in of the server's own administrator. */
  databases: z.array(
    z.object({
      name: z.string(),
      host: z.string(),
      port: z.number(),
      caFile: z.string(),
      adminUser: z.string(),
      adminPassword: z.string(),
    }),
  ),
  /** The doubles of Azure. */
  azure: z.object({
    /** PEM of the authority that signed the certificate of all doubles. */
    caFile: z.string(),
    resourceManager: z.string(),
    openAi: z.string(),
    graph: z.string(),
    logIn: z.string(),
  }),
  configuration: z.string(),
  logs: z.object({ functions: z.string(), postgresql: z.string() }),
  processes: z.array(z.object({ name: z.string(), pid: z.number() })),
});

export type EnvironmentFile = z.output<typeof environmentShape>;

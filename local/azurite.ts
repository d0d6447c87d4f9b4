import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface Azurite {
  connectionString: string;
  pid: number;
  /** Resolves when the process has ended for any reason. Never rejects. */
  exited: Promise<void>;
  /** Lets Azurite write its data to disk, then ends it. */
  close(): Promise<void>;
}

const services = ["Blob", "Queue", "Table"] as const;
type Service = (typeof services)[number];

/** Azurite's well-known account. Its key is public and the same in every Azurite. */
const account = {
  name: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

/** Azurite normally starts in well under a second. */
const startLimitMs = 60_000;

/** Azurite normally ends within milliseconds. */
const closeLimitMs = 15_000;

/**
 * Starts Azurite (blob, queue, table) on free loopback ports. With `directory`, its state outlives it; with `memory`, it does not.
 * It has its own process group, so Ctrl-C in the terminal does not reach it, and it ends itself when this process dies.
 *
 * It writes to disk every few seconds and when closed. SIGKILL loses the most recent writes.
 */
export async function startAzurite(
  store: { directory: string } | { memory: true },
): Promise<Azurite> {
  const child = spawn(process.execPath, azuriteArguments(store), {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child
      .once("exit", () => {
        resolve();
      })
      .once("error", () => {
        resolve();
      });
  });
  const close = async () => {
    child.kill("SIGTERM");
    const last = setTimeout(() => child.kill("SIGKILL"), closeLimitMs);
    await exited;
    clearTimeout(last);
  };
  try {
    const urls = await readUrls(child, child.stdout, child.stderr, exited);
    if (child.pid === undefined) throw new Error("Azurite has no process id.");
    return { connectionString: toConnectionString(urls), pid: child.pid, exited, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function azuriteArguments(store: { directory: string } | { memory: true }): string[] {
  const manifest = createRequire(import.meta.url).resolve("azurite/package.json");
  const program = path.join(path.dirname(manifest), "dist", "src", "azurite.js");
  const withParent = fileURLToPath(import.meta.resolve("./host/with-parent.ts"));
  return [
    "--import",
    withParent,
    program,
    "--silent",
    "--disableTelemetry",
    "--skipApiVersionCheck",
    ...services.flatMap((service) => [`--${service.toLowerCase()}Port`, "0"]),
    ...("memory" in store ? ["--inMemoryPersistence"] : ["--location", store.directory]),
  ];
}

type Urls = Record<Service, string>;

/** Reads the URLs from the output of Azurite, which chooses free ports and only prints them. */
async function readUrls(
  child: ChildProcess,
  output: Readable,
  errors: Readable,
  exited: Promise<void>,
): Promise<Urls> {
  const found = new Map<string, string>();
  const complete = Promise.withResolvers<Urls>();
  const messages: string[] = [];
  const note = (line: string) => messages.push(line);
  createInterface(errors).on("line", note);
  createInterface(output).on("line", (line) => {
    if (found.size < services.length) note(line);
    const [, service, url] =
      /Azurite (\w+) service is successfully listen\w* (?:at|on) (http:\S+)/.exec(line) ?? [];
    if (service !== undefined && url !== undefined) found.set(service, url);
    const [Blob, Queue, Table] = services.map((name) => found.get(name));
    if (Blob !== undefined && Queue !== undefined && Table !== undefined) {
      complete.resolve({ Blob, Queue, Table });
    }
  });
  const fail = (why: string) => {
    complete.reject(new Error(`Azurite did not start: ${why}\n${messages.join("\n")}`));
  };
  child.once("error", (error) => {
    fail(error.message);
  });
  void exited.then(() => {
    fail("the process ended.");
  });
  const timer = setTimeout(fail, startLimitMs, `no answer after ${startLimitMs} ms.`);
  try {
    return await complete.promise;
  } finally {
    clearTimeout(timer);
  }
}

const toConnectionString = (urls: Urls): string =>
  [
    "DefaultEndpointsProtocol=http",
    `AccountName=${account.name}`,
    `AccountKey=${account.key}`,
    ...services.map((service) => `${service}Endpoint=${urls[service]}/${account.name}`),
    "",
  ].join(";");

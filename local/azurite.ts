import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

export interface Azurite {
  connectionString: string;
  pid: number;
  /** Rejects never; resolves when the process is gone, for whatever reason. */
  exited: Promise<void>;
  /** Lets it write what it holds, then ends it. */
  close(): Promise<void>;
}

const services = ["Blob", "Queue", "Table"] as const;
type Service = (typeof services)[number];

/** Azurite's well-known account; the key is public and the same everywhere. */
const account = {
  name: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

/** Azurite needs well under a second; this bounds a start that will never come. */
const startLimitMs = 60_000;

/** It ends within milliseconds; this is for one that is stuck. */
const closeLimitMs = 15_000;

/**
 * Starts Azurite (blob, queue, table) on free loopback ports. With `directory` its state outlasts it;
 * with `memory` it does not. It runs in a process group of its own, so Ctrl-C in the terminal leaves it
 * to `close`, and it ends itself when this process dies.
 *
 * It writes to disk every few seconds and when closed: killing it with SIGKILL loses what came last.
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

/** Port 0 was asked for; the ports that were taken are only printed. */
async function readUrls(
  child: ChildProcess,
  output: Readable,
  errors: Readable,
  exited: Promise<void>,
): Promise<Urls> {
  const found = new Map<string, string>();
  const complete = Promise.withResolvers<Urls>();
  const said: string[] = [];
  const note = (line: string) => said.push(line);
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
    complete.reject(new Error(`Azurite did not start: ${why}\n${said.join("\n")}`));
  };
  child.once("error", (error) => {
    fail(error.message);
  });
  void exited.then(() => {
    fail("it ended.");
  });
  const timer = setTimeout(fail, startLimitMs, `nothing after ${startLimitMs} ms.`);
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

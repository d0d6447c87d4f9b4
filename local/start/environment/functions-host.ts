import { appendFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type KeyturnEvent, readEvent } from "../app/read-event.ts";
import { type Child, type Exit, startChild, toPlainEnvironment, withoutStack } from "./child.ts";
import { type DataFolder, rememberOrEnd } from "./data-folder.ts";
import { readJson } from "./kept-file.ts";

interface LaunchOptions {
  readonly folder: DataFolder;
  /** 0 chooses a free port. */
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly keysFile: string;
  readonly onEvent: (event: KeyturnEvent) => void;
}

/** A replacement host gets the port of the first one. */
export interface FunctionsHostOptions extends Omit<LaunchOptions, "keysFile"> {
  /** Called when a host was killed; another one is being started. */
  readonly onKilled: (how: string) => void;
  /** Called and awaited when a replacement host is ready. */
  readonly onReplaced: () => Promise<void>;
}

export interface FunctionsHost {
  readonly url: string;
  readonly keys: { readonly default: string; readonly eventgrid_extension: string };
  readonly pid: number;
  /** Resolves with the reason when the host stopped and will not be replaced. */
  readonly failed: Promise<string>;
  /** Lets running functions end, then starts another host. */
  restart(): Promise<void>;
  /** Sends the signal to the host; resolves when the replacement is ready. */
  kill(signal: NodeJS.Signals): Promise<void>;
  close(): Promise<void>;
}

const projectRoot = fileURLToPath(new URL("../../../", import.meta.url));
const program = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

const ready = z.object({ ready: z.literal(true), url: z.string() });

/** Must be longer than the time the host gives running functions when it stops. */
const endLimitMs = 40_000;

const keysShape = z.object({ default: z.string(), eventgrid_extension: z.string() });

/** Runs the Functions app in its own process, and replaces a process that is killed. */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const keysFile = options.folder.at("functions-keys.json");
  writeFileSync(options.folder.at("functions.log"), "", { mode: 0o600 });
  const failed = Promise.withResolvers<string>();
  let current = await launchHost({ ...options, keysFile });
  const port = Number(new URL(current.url).port);
  const keys = await readJson(keysFile, keysShape);
  if (keys === undefined)
    throw new Error(`${keysFile} does not contain the keys of the Functions host.`);
  let expected = false;
  let replacing: Promise<void> = Promise.resolve();

  const replace = async (): Promise<void> => {
    try {
      current = await launchHost({ ...options, keysFile, port });
      watch(current.child);
      await options.onReplaced();
    } catch (error) {
      failed.resolve(error instanceof Error ? error.message : String(error));
    }
  };
  const watch = (child: Child): void => {
    void child.exited.then((exit) => {
      if (expected) return;
      // A host that exits with an error would fail again.
      if (exit.code !== null && exit.code !== 0) {
        failed.resolve(
          `The Functions host stopped unexpectedly: ${withoutStack(exit.errors) || `code ${exit.code}`}`,
        );
        return;
      }
      options.onKilled(exit.signal ?? "exit code 0");
      replacing = replace();
    });
  };
  watch(current.child);

  return {
    url: current.url,
    keys,
    get pid() {
      return current.child.pid;
    },
    failed: failed.promise,
    async restart() {
      expected = true;
      await current.child.end(endLimitMs);
      expected = false;
      await replace();
    },
    async kill(signal) {
      const { exited } = current.child;
      current.child.kill(signal);
      await exited;
      // The watcher has already run, so the replacement is being started.
      await replacing;
    },
    async close() {
      expected = true;
      await replacing;
      await current.child.end(endLimitMs);
    },
  };
}

/** Starts one Functions host. Resolves when it is ready; rejects with the error it printed when it does not start. */
async function launchHost(options: LaunchOptions): Promise<{ child: Child; url: string }> {
  const { folder, port, settings, keysFile, onEvent } = options;
  const address = Promise.withResolvers<string>();
  const child = startChild({
    args: [
      ...[program, "--with-parent", "--app", projectRoot, "--port", String(port)],
      ...["--keys", keysFile, "--status", folder.at("timers")],
      // Seconds after which a message of a killed worker is delivered again.
      ...["--lease", "5"],
    ],
    env: { ...toPlainEnvironment(), ...settings },
    cwd: projectRoot,
    onLine(line) {
      appendFileSync(folder.at("functions.log"), `${line}\n`);
      const record = parseJson(line);
      const message = ready.safeParse(record);
      if (message.success) address.resolve(message.data.url);
      const event = readEvent(record);
      if (event !== undefined) onEvent(event);
    },
  });
  await rememberOrEnd(folder, "functions host", child);
  const ended = child.exited.then((exit): never => {
    throw new Error(explain(exit));
  });
  const url = await Promise.race([address.promise, ended]);
  ended.catch(() => undefined);
  return { child, url };
}

function explain({ code, signal, errors }: Exit): string {
  return errors === ""
    ? `The Functions host did not start (${signal ?? `code ${code}`}).`
    : withoutStack(errors);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

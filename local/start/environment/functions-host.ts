import { appendFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Child, plainEnvironment, startChild } from "./child.ts";
import type { DataFolder } from "./data-folder.ts";
import { readJson } from "./kept.ts";

export interface FunctionsHostOptions {
  readonly folder: DataFolder;
  /** 0 chooses a free port. A replacement host gets the same one. */
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly onEvent: (event: KeyturnEvent) => void;
  /** Called when a host was killed; another one is being started. */
  readonly onKilled: (how: string) => void;
  /** Called and awaited when a replacement host is ready. */
  readonly onReplaced: () => Promise<void>;
}

export interface FunctionsHost {
  readonly url: string;
  readonly keys: { readonly default: string; readonly eventgrid_extension: string };
  /** Resolves with the reason when the host stopped and will not be replaced. */
  readonly failed: Promise<string>;
  close(): Promise<void>;
}

/** An event in the app's log. `type` is any string, so that this reader accepts event types it does not know. */
const eventShape = z.object({
  type: z.string(),
  severity: z.enum(["information", "warning", "error"]),
  at: z.string(),
  targetId: z.string().optional(),
  rotationId: z.string().optional(),
  account: z.string().optional(),
  cause: z.string().optional(),
  phase: z.string().optional(),
  version: z.object({ version: z.string() }).optional(),
  /** Milliseconds. */
  duration: z.number().optional(),
  failure: z.object({ kind: z.string(), message: z.string() }).optional(),
  nextAttemptAt: z.string().optional(),
  detail: z.string().optional(),
});
export type KeyturnEvent = z.output<typeof eventShape>;

const readyShape = z.object({ ready: z.literal(true), url: z.string() });
const recordShape = z.object({ category: z.literal("user"), message: z.string() });
const messageShape = z.object({ keyturn: eventShape });
const keysShape = z.object({ default: z.string(), eventgrid_extension: z.string() });

const projectRoot = fileURLToPath(new URL("../../../", import.meta.url));
const program = fileURLToPath(new URL("../../host/main.ts", import.meta.url));

/** Runs the Functions app in its own process, and replaces a process that is killed. */
export async function startFunctionsHost(options: FunctionsHostOptions): Promise<FunctionsHost> {
  const { folder } = options;
  writeFileSync(folder.at("functions.log"), "", { mode: 0o600 });
  const { child: first, url } = await launchHost(options);
  let child = first;
  const port = Number(new URL(url).port);
  const keys = readJson(locateKeys(folder), keysShape);
  if (keys === undefined) {
    throw new Error(`${locateKeys(folder)} does not contain the keys of the Functions host.`);
  }
  let closing = false;
  const isClosing = () => closing;

  /** Resolves with the reason when a host stops and must not be replaced; undefined when this was requested. */
  const keepRunning = async (): Promise<string | undefined> => {
    for (;;) {
      const { code, signal, errors } = await child.exited;
      if (isClosing()) return undefined;
      // A host that exits with an error would fail again.
      if (code !== null && code !== 0) {
        return `The Functions host stopped unexpectedly: ${errors || `code ${code}`}`;
      }
      options.onKilled(signal ?? "exit code 0");
      ({ child } = await launchHost({ ...options, port }));
      if (isClosing()) await child.end();
      else await options.onReplaced();
    }
  };
  const running = keepRunning().catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  const failed = running.then((reason) => reason ?? new Promise<string>(() => undefined));
  return {
    url,
    keys,
    failed,
    async close() {
      closing = true;
      await child.end();
      await running;
    },
  };
}

const locateKeys = (folder: DataFolder): string => folder.at("functions-keys.json");

/** Starts one Functions host. Resolves when it is ready; rejects with the error it printed when it does not start. */
async function launchHost(
  options: Pick<FunctionsHostOptions, "folder" | "port" | "settings" | "onEvent">,
): Promise<{ child: Child; url: string }> {
  const { folder, port, settings, onEvent } = options;
  const address = Promise.withResolvers<string>();
  let logProblem: string | undefined;
  const started = startChild({
    args: [
      ...[program, "--with-parent", "--app", projectRoot, "--port", String(port)],
      ...["--keys", locateKeys(folder), "--status", folder.at("timers")],
      // Seconds after which a message of a killed worker is delivered again.
      ...["--lease", "5"],
    ],
    env: { ...plainEnvironment(), ...settings },
    cwd: projectRoot,
    onLine(line) {
      try {
        appendFileSync(folder.at("functions.log"), `${line}\n`);
      } catch (error) {
        if (logProblem === undefined) void started.end();
        logProblem ??= `its log cannot be written: ${error instanceof Error ? error.message : ""}`;
      }
      const record = parseJson(line);
      const ready = readyShape.safeParse(record).data;
      if (ready !== undefined) address.resolve(ready.url);
      const event = readEvent(record);
      if (event !== undefined) onEvent(event);
    },
  });
  const exited = started.exited.then((exit) =>
    logProblem === undefined ? exit : { ...exit, code: 1, errors: logProblem },
  );
  const child = { ...started, exited };
  folder.remember("functions host", child.pid);
  const ended = exited.then(({ code, signal, errors }): never => {
    throw new Error(errors || `The Functions host did not start (${signal ?? `code ${code}`}).`);
  });
  const url = await Promise.race([address.promise, ended]);
  ended.catch(() => undefined);
  return { child, url };
}

/** Returns the event in a record of the host's log, or undefined when the record has none. */
export function readEvent(record: unknown): KeyturnEvent | undefined {
  const message = recordShape.safeParse(record).data?.message;
  return message === undefined
    ? undefined
    : messageShape.safeParse(parseJson(message)).data?.keyturn;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

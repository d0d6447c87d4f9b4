import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { FunctionInfo } from "../../local/host/functions.ts";

const hostProgram = fileURLToPath(import.meta.resolve("../../local/host/main.ts"));
const recorder = import.meta.resolve("./resolved-files.ts");

interface Ready {
  readonly ready?: true;
  readonly url: string;
  readonly functions: readonly FunctionInfo[];
}

export interface HostedApp {
  readonly functions: readonly FunctionInfo[];
  /** With the key of the app; `route` starts with a slash. */
  call(
    method: string,
    route: string,
    given?: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<Response>;
  /** The loaded files of the app's folder, as relative paths. */
  loaded(): Promise<string[]>;
  /** What files of the app requested and received from elsewhere, Node's own modules aside. */
  foreign(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Hosts the app in `folder` in a process of its own, with that folder as working directory, as on Azure. */
export async function hostApp(
  folder: string,
  settings: Readonly<Record<string, string>>,
  scratch: string,
): Promise<HostedApp> {
  const record = path.join(scratch, "resolved.jsonl");
  const keys = path.join(scratch, "keys.json");
  const given = ["--import", recorder, hostProgram, "--app", folder, "--keys", keys];
  const child = spawn(process.execPath, [...given, "--with-parent"], {
    cwd: folder,
    env: { ...settings, RESOLVED_FILES: record },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
  });
  const errors = text(child.stderr);
  const { url, functions } = await untilReady(child.stdout, errors);
  const { default: key } = JSON.parse(await readFile(keys, "utf8")) as { default: string };
  const inside = `${pathToFileURL(folder).href}/`;
  return {
    functions: functions.map((one) => ({ ...one, ...(one.url && { url: withoutHost(one.url) }) })),
    call: (method, route, given) =>
      fetch(`${url}${route}`, {
        method,
        headers: { ...given?.headers, "x-functions-key": key },
        ...(given && { body: given.body }),
      }),
    loaded: async () => {
      const resolved = await readRecord(record);
      const files = resolved.filter((it) => it.url.startsWith(inside));
      return [...new Set(files.map((it) => it.url.slice(inside.length)))].toSorted();
    },
    foreign: async () => {
      const resolved = await readRecord(record);
      return resolved
        .filter(({ from }) => from?.startsWith(inside))
        .filter((it) => !it.url.startsWith(inside) && !it.url.startsWith("node:"))
        .map((it) => it.url);
    },
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

const withoutHost = (url: string): string => url.replace(/^http:\/\/[^/]+/, "");

async function untilReady(output: NodeJS.ReadableStream, errors: Promise<string>): Promise<Ready> {
  const ready = Promise.withResolvers<Ready>();
  const lines: string[] = [];
  createInterface(output)
    .on("line", (line) => {
      lines.push(line);
      const record = JSON.parse(line) as Ready;
      if (record.ready) ready.resolve(record);
    })
    .once("close", () => {
      void errors.then((said) => {
        ready.reject(new Error(`The host ended:\n${lines.join("\n")}\n${said}`));
      });
    });
  return ready.promise;
}

async function readRecord(file: string): Promise<{ from?: string; url: string }[]> {
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as { from?: string; url: string });
}

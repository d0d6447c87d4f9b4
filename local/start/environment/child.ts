import { type ChildProcess, spawn } from "node:child_process";
import { statfs } from "node:fs/promises";
import { createInterface } from "node:readline";

export interface ChildOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly onLine: (line: string) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its standard error. */
  readonly errors: string;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  kill(signal: NodeJS.Signals): void;
  /** Sends SIGTERM, and SIGKILL after `limitMs`. */
  end(limitMs: number): Promise<Exit>;
}

/** Characters. */
const maxErrors = 4_000;

/**
 * Starts another Node program. It has its own process group, so a terminal's Ctrl-C does not reach it. Its standard input is a
 * pipe, which closes when this process ends, so that the child notices.
 */
export function startChild({ args, env, cwd, onLine }: ChildOptions): Child {
  const child = spawn(process.execPath, args, { env, cwd, stdio: "pipe", detached: true });
  // Nothing writes to this pipe, but without a listener its error would end this process.
  child.stdin.on("error", () => undefined);
  createInterface(child.stdout).on("line", onLine);
  const exited = waitForExit(child);
  return {
    pid: child.pid ?? 0,
    exited,
    kill: (signal) => void child.kill(signal),
    async end(limitMs) {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), limitMs);
      const exit = await exited;
      clearTimeout(late);
      return exit;
    },
  };
}

function waitForExit(child: ChildProcess): Promise<Exit> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-maxErrors);
  });
  return new Promise((resolve) => {
    child.once("error", ({ message }) => {
      resolve({ code: 1, signal: null, errors: message });
    });
    child.once("close", (code, signal) => {
      resolve({ code, signal, errors: errors.trim() });
    });
  });
}

/** Returns the environment for a child, without variables that would point the app at other services. */
export function toPlainEnvironment(): Record<string, string | undefined> {
  const foreign =
    /^(AZURE|IDENTITY|MSI|KEYTURN|WEBSITE|PG|NODE_TLS_)|^AzureWebJobs|^AzureFunctions/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** Bytes. A disk with less free space counts as full: PostgreSQL writes 16 MiB at a time. */
const fullDiskBytes = 4 * 1024 * 1024;

/** Returns the standard error of a child without the stack trace of a crash. */
export function withoutStack(errors: string): string {
  if (!/^ {4}at /m.test(errors)) return errors;
  const [, message] = /^(?:Uncaught )?([\w.]*Error\b[^\n]*)/m.exec(errors) ?? [];
  return message ?? "it crashed";
}

/** Describes a failure, and adds a full disk as its likely cause, which many messages do not mention. */
export async function describeChildFailure(error: unknown, data: string): Promise<string> {
  const text = error instanceof Error ? error.message : String(error);
  if (!/\bENOSPC\b|no space left/i.test(text) && !(await isFull(data))) return text;
  return `The disk of ${data} is full. Free some space and start again; Keyturn continues where it stopped.\n${text}`;
}

async function isFull(path: string): Promise<boolean> {
  const found = await statfs(path).catch(() => undefined);
  return found !== undefined && found.bavail * found.bsize < fullDiskBytes;
}

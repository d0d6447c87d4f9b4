import { type ChildProcess, spawn } from "node:child_process";
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
  /** The end of its standard error, without the stack trace of a crash. */
  readonly errors: string;
}

export interface Child {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Writes a line to its standard input. */
  send(line: string): void;
  /** Sends SIGTERM, and SIGKILL when it has not ended in time. */
  end(): Promise<void>;
}

/** Must be longer than the time the Functions host gives running functions when it stops. */
const endLimitMs = 40_000;

/** Characters. */
const maxErrors = 4_000;

/**
 * Starts another Node program. It has its own process group, so a terminal's Ctrl-C does not reach it. Its standard input is a
 * pipe, which closes when this process ends, so that the child notices.
 */
export function startChild({ args, env, cwd, onLine }: ChildOptions): Child {
  const child = spawn(process.execPath, args, { env, cwd, stdio: "pipe", detached: true });
  // Without a listener, an error of this pipe would end this process.
  child.stdin.on("error", () => undefined);
  createInterface(child.stdout).on("line", onLine);
  const exited = waitForExit(child);
  return {
    pid: child.pid ?? 0,
    exited,
    send: (line) => void child.stdin.write(`${line}\n`),
    async end() {
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), endLimitMs);
      await exited;
      clearTimeout(late);
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
      resolve({ code, signal, errors: withoutStack(errors.trim()) });
    });
  });
}

/** Returns the standard error of a child without the stack trace of a crash. */
export function withoutStack(errors: string): string {
  if (!/^ {4}at /m.test(errors)) return errors;
  const [, message] = /^(?:Uncaught )?([\w.]*Error\b[^\n]*)/m.exec(errors) ?? [];
  return message ?? "it crashed";
}

/** Returns the environment for a child, without variables that would point the app at other services. */
export function plainEnvironment(): Record<string, string | undefined> {
  const foreign =
    /^(AZURE|IDENTITY|MSI|KEYTURN|WEBSITE|PG|NODE_TLS_)|^AzureWebJobs|^AzureFunctions/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

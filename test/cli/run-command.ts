import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

const root = resolve(import.meta.dirname, "../..");
export const program = join(root, "cli/main.ts");

/** What a command printed, and how it ended. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** The whole environment but PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly nodeArguments?: readonly string[];
  /** A program that runs the command, with its arguments, such as a shell that sets limits. */
  readonly launcher?: readonly string[];
  /** Standard input. Absent: none. */
  readonly input?: string;
  /** Receives the process when it has started. */
  readonly started?: (child: ChildProcess) => void;
}

/** Runs `keyturn` in its own process, with pipes instead of a terminal. */
export async function runCommand(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  const { environment = {}, folder = root, nodeArguments = [], input, started } = options;
  const { launcher = [] } = options;
  const words = [...launcher, process.execPath, ...nodeArguments, program, ...args];
  const [command = "", ...rest] = words;
  const child = spawn(command, rest, {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A command that needs no input may end before it is read.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input ?? "");
  const exit = once(child, "close");
  started?.(child);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await exit;
  return { status: child.exitCode, stdout, stderr };
}

/** The words of a line, without quotes. */
export const wordsOf = (line: string): string[] => line.split(" ").filter((word) => word !== "");

import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Runner } from "../../../local/postgres/runner.ts";

export interface RunOptions {
  readonly as?: Runner;
  /** For standard input. */
  readonly input?: string;
}

/** Runs a program and returns what it printed. Rejects with the end of its messages if it fails or does not exist. */
export async function run(
  [program = "", ...args]: readonly string[],
  { as, input = "" }: RunOptions = {},
): Promise<string> {
  const env = { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" };
  const child = spawn(program, args, { ...as, cwd: "/", env, stdio: "pipe" });
  const failure = new Promise<string | undefined>((resolve) => {
    child.once("error", ({ message }) => {
      resolve(`cannot be run: ${message}`);
    });
    child.once("close", (code, signal) => {
      resolve(code === 0 ? undefined : `failed (${String(code ?? signal)})`);
    });
  });
  // A program that ends before it has read everything is judged by its exit code.
  child.stdin.on("error", () => undefined).end(input);
  const [output, messages, problem] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    failure,
  ]);
  if (problem === undefined) return output;
  const tail = (messages.trim() || output.trim()).split("\n").slice(-12).join("\n");
  throw new Error(`${program} ${problem}\n${tail}`.trim());
}

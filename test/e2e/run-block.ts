import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { program } from "../cli/run-command.ts";

/** `npx keyturn` is the program of this repository. A request that is refused ends the block. */
const prelude = `set -e -o pipefail
curl() { command curl --silent --show-error --fail-with-body "$@"; }
npx() { shift; '${process.execPath}' '${program}' "$@"; }`;

interface BlockOptions {
  readonly folder: string;
  /** The whole environment but PATH. */
  readonly environment: Readonly<Record<string, string>>;
  /** What a person would type at a prompt. */
  readonly input?: string;
}

/** Runs a shell block of a page. */
export async function runBlock(
  block: string,
  { folder, environment, input = "" }: BlockOptions,
): Promise<{ readonly status: number | null; readonly output: string }> {
  const bash = spawn("bash", ["--norc", "-c", `${prelude}\n${block}`], {
    cwd: folder,
    env: { PATH: process.env["PATH"], ...environment },
  });
  const closed = once(bash, "close");
  // A command that reads nothing may have ended before.
  bash.stdin.on("error", () => undefined).end(input);
  const [stdout, stderr] = await Promise.all([text(bash.stdout), text(bash.stderr)]);
  await closed;
  return { status: bash.exitCode, output: stdout + stderr };
}

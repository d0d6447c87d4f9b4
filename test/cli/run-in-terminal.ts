import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { stripVTControlCharacters } from "node:util";
import { program } from "./run-command.ts";

/** What a person types as soon as the terminal shows the text. */
export interface Typed {
  readonly after: string;
  readonly keys: string;
}

export const ctrlC = "\u0003";
export const ctrlD = "\u0004";
export const enter = "\r";

const quote = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** `script` gives the command a terminal of its own. It is part of Linux (util-linux) and of macOS, which call it differently. */
function inTerminal(words: readonly string[]): readonly string[] {
  if (process.platform === "darwin") return ["-q", "/dev/null", ...words];
  return ["--quiet", "--return", "--command", words.map(quote).join(" "), "/dev/null"];
}

/** Runs `keyturn` in a terminal, where a person types. Standard output and standard error are the one screen. */
export async function runInTerminal(
  args: readonly string[],
  typed: readonly Typed[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number | null; readonly screen: string }> {
  const child = spawn("script", inTerminal([process.execPath, program, ...args]), {
    cwd: tmpdir(),
    env: { PATH: process.env["PATH"], SHELL: "/bin/sh", TERM: "xterm", ...environment },
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => undefined);
  const left = [...typed];
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (shown: string) => {
    screen += shown;
    const [next] = left;
    if (next && screen.includes(next.after)) child.stdin.write(left.shift()?.keys ?? "");
  });
  await once(child, "close").catch((error: unknown) => {
    throw new Error("This test needs the program `script`.", { cause: error });
  });
  return { status: child.exitCode, screen: toLines(screen) };
}

/** What the terminal shows in the end: without colours, and without lines of progress that were removed. */
function toLines(screen: string): string {
  const lines = screen.split(/\r*\n/);
  return lines.map((line) => stripVTControlCharacters(line).split("\r").at(-1) ?? "").join("\n");
}

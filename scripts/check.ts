/**
 * Runs every check that needs no servers. Prints a line when a check starts and ends, progress of the tests, and details of
 * failures only. `--no-tests`: all but the tests, for a run that tests everything later.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

interface Outcome extends Check {
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** The longest checks start first, so that short ones fill the gaps. */
const checks: readonly Check[] = [
  { name: "lint", command: ["eslint", ".", "--max-warnings", "0"] },
  { name: "tests", command: ["vitest", "run", "--project", "fast*"] },
  {
    name: "types",
    command: ["tsc", "-p", ".", "--incremental", "--tsBuildInfoFile", ".cache/types.tsbuildinfo"],
  },
  { name: "imports", command: ["depcruise", "--output-type", "err-long", "."] },
  { name: "dead code", command: ["knip"] },
  { name: "pages", command: ["markdownlint-cli2"] },
  {
    name: "format",
    command: [
      ...["prettier", "--check", "--log-level", "warn"],
      ...["--cache", "--cache-strategy", "content", "--cache-location", ".cache/prettier", "."],
    ],
  },
];

const root = resolve(import.meta.dirname, "..");
const colour = process.stdout.isTTY;

/** Milliseconds between two progress lines of the tests. */
const progressIntervalMs = 10_000;

async function run(check: Check): Promise<Outcome> {
  console.log(`${paint("2", "start ")} ${check.name}`);
  const started = performance.now();
  const child = spawn(process.execPath, ["scripts/run.mjs", ...check.command], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...(colour && { FORCE_COLOR: "1" }) },
  });
  const exit = new Promise<boolean>((done, failed) => {
    child.once("error", failed);
    child.once("close", (code) => {
      done(code === 0);
    });
  });
  const [passed, out, err] = await Promise.all([
    exit,
    read(child.stdout, describeProgress(check.name)),
    text(child.stderr),
  ]);
  const seconds = (performance.now() - started) / 1000;
  return { ...check, passed, seconds, output: `${out}\n${err}` };
}

/** Reads the output of a program and passes each line to `onLine`. */
async function read(output: Readable, onLine: (line: string) => void): Promise<string> {
  const lines: string[] = [];
  for await (const line of createInterface(output)) {
    lines.push(line);
    onLine(line);
  }
  return lines.join("\n");
}

/** Makes progress lines from the lines of the test reporter, such as "[7/120] test/…". */
function describeProgress(name: string): (line: string) => void {
  let last = performance.now();
  return (line) => {
    const [, files = ""] = /^\[(\d+\/\d+)\]/.exec(line) ?? [];
    if (files === "" || performance.now() - last < progressIntervalMs) return;
    last = performance.now();
    console.log(`${paint("2", "…     ")} ${name.padEnd(10)} file ${files}`);
  };
}

const paint = (code: string, words: string): string =>
  colour ? `\u001b[${code}m${words}\u001b[0m` : words;

function report({ name, passed, seconds, output }: Outcome): void {
  const painted = passed ? paint("32", "ok    ") : paint("31", "FAILED");
  const detail = passed && name === "tests" ? `  ${output.trim().split("\n").at(-1) ?? ""}` : "";
  console.log(`${painted} ${name.padEnd(10)} ${seconds.toFixed(1).padStart(5)} s${detail}`);
}

const { values } = parseArgs({ options: { "no-tests": { type: "boolean" } } });
const waiting = checks.filter(({ name }) => name !== "tests" || values["no-tests"] !== true);
const outcomes: Outcome[] = [];

async function work(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    const outcome = await run(check);
    report(outcome);
    outcomes.push(outcome);
  }
}

await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));

const failed = outcomes.filter((outcome) => !outcome.passed);
for (const { name, command, output } of failed) {
  console.log(`\n--- ${name}: ${command.join(" ")}\n${output.trimEnd()}`);
}
if (failed.length > 0) process.exitCode = 1;

/** Everything that can be checked without servers: one line per check, details only of failures. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";

interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

interface Outcome extends Check {
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** Longest first, so that the short ones fill the gaps. */
const checks: readonly Check[] = [
  { name: "lint", command: ["eslint", ".", "--max-warnings", "0"] },
  { name: "tests", command: ["vitest", "run", "--project", "fast"] },
  { name: "types", command: ["tsc", "-p", "."] },
  { name: "imports", command: ["depcruise", "--output-type", "err-long", "."] },
  { name: "dead code", command: ["knip"] },
  { name: "format", command: ["prettier", "--check", "--log-level", "warn", "."] },
];

const root = resolve(import.meta.dirname, "..");
const colour = process.stdout.isTTY;

async function run(check: Check): Promise<Outcome> {
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
  const [passed, out, err] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  const seconds = (performance.now() - started) / 1000;
  return { ...check, passed, seconds, output: out + err };
}

function report({ name, passed, seconds, output }: Outcome): void {
  const mark = passed ? "ok    " : "FAILED";
  const painted = colour ? `\u001b[${passed ? "32" : "31"}m${mark}\u001b[0m` : mark;
  const detail = passed && name === "tests" ? `  ${output.trim().split("\n").at(-1) ?? ""}` : "";
  console.log(`${painted} ${name.padEnd(10)} ${seconds.toFixed(1).padStart(5)} s${detail}`);
}

const waiting = [...checks];
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

import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import {
  type EnvironmentFile,
  environmentShape,
} from "../../../local/start/environment/environment-file.ts";

/** For what never comes; nothing here depends on how long something takes. */
export const patient = { timeout: 300_000, interval: 100 };

/** An empty data folder that goes when the test ends. */
export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-start-"));
  // PostgreSQL does not run as root, and whoever it runs as must be able to pass.
  await chmod(folder, 0o711);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Start {
  readonly child: ChildProcess;
  readonly output: Promise<string>;
  readonly errors: Promise<string>;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
}

const program = fileURLToPath(new URL("../../../local/start.ts", import.meta.url));

/** `npm start -- ARGS`, without the wrapper that installs what is missing. */
export function start(...args: readonly string[]): Start {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(code ?? signal);
    });
  });
  onTestFinished(async () => {
    // One that is still there when its test has failed stops what it started: killed, it would leave PostgreSQL behind.
    child.kill("SIGINT");
    await exited;
  });
  return { child, output: text(child.stdout), errors: text(child.stderr), exited };
}

/** What environment.json says, once the start that writes it is ready. */
export async function choosePlaces(data: string, by: Start): Promise<EnvironmentFile> {
  const file = join(data, "environment.json");
  const read = async () => {
    if (by.child.exitCode !== null) throw new Error(`It ended instead: ${await by.errors}`);
    const found = await readFile(file, "utf8").catch(() => undefined);
    const places = found === undefined ? undefined : environmentShape.parse(JSON.parse(found));
    // That of a run that was killed is still there for a moment.
    return places?.processes.some(({ pid }) => pid === by.child.pid) ? places : undefined;
  };
  let places: EnvironmentFile | undefined;
  await expect.poll(async () => (places = await read()), patient).toBeDefined();
  if (places === undefined) throw new Error("There is no environment.json.");
  return places;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

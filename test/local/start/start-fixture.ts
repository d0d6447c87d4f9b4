import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { type EnvironmentOptions, startEnvironment } from "../../../local/environment.ts";
import { type EnvironmentFile, environmentShape } from "../../../local/start/environment/kept.ts";

/** A limit for events that never happen; no test depends on how long something takes. */
export const patient = { timeout: 300_000, interval: 100 };

/** Makes an empty data folder, which is deleted when the test ends. */
export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-start-"));
  // PostgreSQL does not run as root, so its user must be able to pass through.
  await chmod(folder, 0o711);
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface Start {
  readonly child: ChildProcess;
  readonly output: Promise<string>;
  readonly errors: Promise<string>;
  /** The exit code, or the signal that ended the process. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
}

const program = fileURLToPath(new URL("../../../local/start.ts", import.meta.url));

/** Runs `npm start -- ARGS` without the wrapper that installs missing dependencies. */
export function start(...args: readonly string[]): Start {
  const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("exit", (code, signal) => {
      resolve(code ?? signal);
    });
  });
  onTestFinished(async () => {
    // After a failed test it may still run. SIGINT lets it stop PostgreSQL, which SIGKILL would leave running.
    child.kill("SIGINT");
    await exited;
  });
  return { child, output: text(child.stdout), errors: text(child.stderr), exited };
}

/** Waits until the start is ready, and returns the content of its environment.json. */
export async function choosePlaces(data: string, by: Start): Promise<EnvironmentFile> {
  const file = join(data, "environment.json");
  const read = async () => {
    if (by.child.exitCode !== null) throw new Error(`npm start ended: ${await by.errors}`);
    const found = await readFile(file, "utf8").catch(() => undefined);
    const places = found === undefined ? undefined : environmentShape.parse(JSON.parse(found));
    // The file of a killed run may still exist for a moment.
    return places?.processes.some(({ pid }) => pid === by.child.pid) ? places : undefined;
  };
  let places: EnvironmentFile | undefined;
  await expect.poll(async () => (places = await read()), patient).toBeDefined();
  if (places === undefined) throw new Error("environment.json does not exist.");
  return places;
}

/** Starts the environment in this process. */
export async function environment(options: EnvironmentOptions) {
  const notes: string[] = [];
  const env = await startEnvironment({ ...options, onNote: (note) => notes.push(note) });
  onTestFinished(() => env.close());
  return {
    env,
    notes,
    /** Kills the Functions host; resolves when another one has taken its place. */
    killHost: async () => {
      const host = env.places().processes.find(({ name }) => name === "functions host");
      if (host === undefined) throw new Error("No Functions host runs.");
      const before = notes.length;
      process.kill(host.pid, "SIGKILL");
      await expect.poll(() => notes.length, patient).toBe(before + 2);
    },
  };
}

/** Runs `npm run store -- NAME ACCOUNT`, with the password on standard input. */
export async function storeLogIn(data: string, name: string, account: string, password: string) {
  const store = fileURLToPath(new URL("../../../local/store.ts", import.meta.url));
  const child = spawn(process.execPath, [store, name, account, "--data", data]);
  const errors = text(child.stderr);
  child.stdin.end(password);
  const [code] = (await once(child, "exit")) as [number | null];
  expect(code, await errors).toBe(0);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

import { rmSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { readJson, replaceJson } from "./kept-file.ts";
import { identify, isRunning, processIdentity, type ProcessIdentity } from "./process-identity.ts";

/** The data folder is in use by another run. */
class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

const kindShape = z.enum(["program", "storage", "database"]);
export type ProcessKind = z.output<typeof kindShape>;

/**
 * PostgreSQL would take SIGTERM for "when all clients are gone"; at SIGQUIT it ends at once, and its next start repairs.
 * Azurite writes to disk when it is told to end, within milliseconds, and loses that when it is killed.
 */
const signals: Readonly<
  Record<ProcessKind, Readonly<Record<"gently" | "quickly", NodeJS.Signals>>>
> = {
  program: { gently: "SIGTERM", quickly: "SIGKILL" },
  storage: { gently: "SIGTERM", quickly: "SIGTERM" },
  database: { gently: "SIGINT", quickly: "SIGQUIT" },
};

const childShape = processIdentity.extend({ name: z.string(), kind: kindShape });
const runShape = z.object({ supervisor: processIdentity, children: z.array(childShape) });
type Run = z.output<typeof runShape>;

export interface DataFolder {
  readonly path: string;
  /** Of a file or folder inside. */
  at(...names: string[]): string;
  /** Remembers a child process, for a later start to end it should this process be killed. */
  remember(name: string, pid: number, kind?: ProcessKind): Promise<void>;
  /** Of this process and the remembered children that still run. */
  processes(): { readonly name: string; readonly pid: number }[];
  /** Ends the children without waiting for anything. */
  abandon(): void;
  release(): Promise<void>;
}

/** How long processes that a killed run left behind have to end by themselves. */
const endLimitMs = 15_000;

/**
 * Takes the folder for this process alone. What a killed run left running on it is ended first; a run that lives makes
 * it throw FolderInUseError.
 */
export async function takeDataFolder(directory: string): Promise<DataFolder> {
  const path = resolve(directory);
  // Passable by others, because PostgreSQL may not run as root; every file in it is for us alone.
  await mkdir(path, { recursive: true, mode: 0o711 });
  const file = join(path, "run.json");
  const supervisor = identify(process.pid);
  if (supervisor === undefined) throw new Error("This process cannot find itself.");
  await takeLock(join(path, "lock"), supervisor, path);
  const before = await readJson(file, runShape);
  await Promise.all((before?.children ?? []).map(end));
  await rm(join(path, "environment.json"), { force: true });

  let run: Run = { supervisor, children: [] };
  await replaceJson(file, run);
  let writing: Promise<void> = Promise.resolve();
  return {
    path,
    at: (...names) => join(path, ...names),
    remember(name, pid, kind = "program") {
      const known = identify(pid);
      const others = run.children.filter(isRunning);
      const child = known && { name, kind, ...known };
      run = { supervisor, children: child ? [...others, child] : others };
      writing = writing.then(() => replaceJson(file, run));
      return writing;
    },
    processes: () => [
      { name: "supervisor", pid: process.pid },
      ...run.children.filter(isRunning).map(({ name, pid }) => ({ name, pid })),
    ],
    abandon() {
      rmSync(join(path, "environment.json"), { force: true });
      for (const { pid, kind } of run.children.filter(isRunning)) {
        process.kill(pid, signals[kind].quickly);
      }
    },
    async release() {
      await writing;
      for (const name of ["environment.json", "run.json", "lock"]) {
        await rm(join(path, name), { force: true });
      }
    },
  };
}

async function takeLock(file: string, own: ProcessIdentity, path: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await writeFile(file, JSON.stringify(own), { flag: "wx", mode: 0o600 });
      return;
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
    const holder = await readJson(file, processIdentity);
    if (holder !== undefined && isRunning(holder)) {
      throw new FolderInUseError(
        `Keyturn already runs on ${path} (process ${holder.pid}). Stop it first, or name another folder with --data.`,
      );
    }
    // Its writer may be about to fill it in.
    if (holder === undefined && attempt < 5) await wait(50);
    else await rm(file, { force: true });
  }
}

const isTaken = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "EEXIST";

async function end(left: z.output<typeof childShape>): Promise<void> {
  if (!isRunning(left)) return;
  process.kill(left.pid, signals[left.kind].gently);
  for (let waited = 0; isRunning(left); waited += 50) {
    if (waited === endLimitMs) process.kill(left.pid, "SIGKILL");
    if (waited > 2 * endLimitMs) throw new Error(`The process ${left.pid} does not end.`);
    await wait(50);
  }
}

import { rmSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { explainDataFolder, makeFolder } from "../app/given-path.ts";
import { readJson, replaceJson } from "./kept-file.ts";
import { identify, isRunning, type ProcessIdentity, processIdentity } from "./process-identity.ts";

/** The data folder is in use by another run. */
class FolderInUseError extends Error {
  override readonly name = "FolderInUseError";
}

/** The folder holds files of somebody else. */
class ForeignFolderError extends Error {
  override readonly name = "ForeignFolderError";
}

/** In every data folder, from its first moment on. */
const marker = "made-by-keyturn";
const markerText =
  "This folder belongs to npm start of Keyturn. To begin anew, delete all of it.\n";

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

/** A child that cannot be remembered, as on a full disk, must not be left running: nobody would ever end it. */
export async function rememberOrEnd(
  folder: DataFolder,
  name: string,
  child: { readonly pid: number; end(limitMs: number): Promise<unknown> },
): Promise<void> {
  try {
    await folder.remember(name, child.pid);
  } catch (error) {
    await child.end(endLimitMs);
    throw error;
  }
}

/** How long processes that a killed run left behind have to end by themselves. */
const endLimitMs = 15_000;

/**
 * Takes the folder for this process alone. What a killed run left running on it is ended first; a run that lives makes
 * it throw FolderInUseError.
 */
export async function takeDataFolder(directory: string): Promise<DataFolder> {
  const path = resolve(directory);
  const explain = (error: unknown) => {
    throw explainDataFolder(path, error);
  };
  // Passable by others, because PostgreSQL may not run as root; every file in it is for us alone.
  await makeFolder(path).catch(explain);
  await claimFolder(path).catch(explain);
  const file = join(path, "run.json");
  const supervisor = identify(process.pid);
  if (supervisor === undefined) throw new Error("This process cannot find itself.");
  await takeLock(join(path, "lock"), supervisor, path).catch(explain);
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
      // One that failed, as on a full disk, must not fail all that follow.
      writing = writing.catch(() => undefined).then(() => replaceJson(file, run));
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
      await writing.catch(() => undefined);
      for (const name of ["environment.json", "run.json", "lock"]) {
        await rm(join(path, name), { force: true });
      }
    },
  };
}

/**
 * Marks an empty folder as ours. Any other without the mark is refused: a start writes and removes files in it, and makes it
 * passable. Folders of versions that made no mark are known by their addresses.
 */
async function claimFolder(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes(marker)) return;
  if (names.length > 0 && !names.includes("addresses.json")) {
    throw new ForeignFolderError(
      `The folder ${path} (--data) is not empty and was not made by Keyturn. Name an empty folder, or one that does not exist.`,
    );
  }
  await writeFile(join(path, marker), markerText);
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

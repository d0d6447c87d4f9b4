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

/** The folder contains files that Keyturn did not create. */
class ForeignFolderError extends Error {
  override readonly name = "ForeignFolderError";
}

/** The first file in every data folder. */
const marker = "made-by-keyturn";
const markerText = "Created by npm start of Keyturn. To start over, delete this folder.\n";

const kindShape = z.enum(["program", "storage", "database"]);
export type ProcessKind = z.output<typeof kindShape>;

/**
 * On SIGTERM, PostgreSQL would wait until all clients are gone; on SIGQUIT it ends at once, and its next start recovers.
 * On SIGTERM, Azurite writes its data to disk within milliseconds; SIGKILL loses that data.
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
  /** Returns the path of a file or folder inside. */
  at(...names: string[]): string;
  /** Records a child process, so that a later start can end it if this process is killed. */
  remember(name: string, pid: number, kind?: ProcessKind): Promise<void>;
  /** Lists this process and the recorded children that still run. */
  processes(): { readonly name: string; readonly pid: number }[];
  /** Ends the children without waiting for anything. */
  abandon(): void;
  release(): Promise<void>;
}

/** Ends a child that cannot be recorded, as on a full disk: no later start would end it. */
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

/** Processes that a killed run left behind get this long to end before SIGKILL. */
const endLimitMs = 15_000;

/**
 * Claims the folder for this process. First ends the processes that a killed run left behind. Throws FolderInUseError while
 * another run uses the folder.
 */
export async function takeDataFolder(directory: string): Promise<DataFolder> {
  const path = resolve(directory);
  const explain = (error: unknown) => {
    throw explainDataFolder(path, error);
  };
  // Other users may pass through, because PostgreSQL does not run as root. The files inside are private.
  await makeFolder(path).catch(explain);
  await claimFolder(path).catch(explain);
  const file = join(path, "run.json");
  const supervisor = identify(process.pid);
  if (supervisor === undefined) throw new Error("The start time of this process cannot be read.");
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
      // A failed write, as on a full disk, must not fail the writes that follow.
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
 * Marks an empty folder as a data folder. Refuses any other folder without the mark, because a start writes and removes files
 * in it. Data folders of versions without the mark are recognised by addresses.json.
 */
async function claimFolder(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes(marker)) return;
  if (names.length > 0 && !names.includes("addresses.json")) {
    throw new ForeignFolderError(
      `The data folder ${path} (--data) is not empty and was not created by Keyturn. Use an empty folder or a new one.`,
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
        `Keyturn is already running with data folder ${path} (process ${holder.pid}). Stop it, or use another folder with --data.`,
      );
    }
    // An empty lock may be one that another start is just writing.
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
    if (waited > 2 * endLimitMs)
      throw new Error(
        `Process ${left.pid} (${left.name}) of an earlier run does not end. Kill it, then start again.`,
      );
    await wait(50);
  }
}

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import { readJson, replaceJson } from "./kept.ts";

/** The first file in every data folder. */
const marker = "made-by-keyturn";
const markerText = "Created by npm start of Keyturn. To start over, delete this folder.\n";

/** Identifies a process, and distinguishes it from a later process with the same id. */
const processIdentity = z.object({
  pid: z.int().min(2),
  /** When it was started, in the format of the operating system. */
  started: z.string().min(1),
});
type ProcessIdentity = z.output<typeof processIdentity>;

const childShape = processIdentity.extend({ name: z.string() });
type RecordedChild = z.output<typeof childShape>;

/** The content of the lock. The children are for the start after a kill. */
const lockShape = z.object({ supervisor: processIdentity, children: z.array(childShape) });

export interface DataFolder {
  readonly path: string;
  /** Returns the path of a file or folder inside. */
  at(...names: string[]): string;
  /**
   * Records a child process. It is ended when this process exits before `release`, or by the next start if this process is
   * killed.
   */
  remember(name: string, pid: number): void;
  /** Lists this process and the recorded children that still run. */
  processes(): { readonly name: string; readonly pid: number }[];
  release(): Promise<void>;
}

/**
 * Claims the folder for this process. First ends the processes that a killed run left behind. Throws one sentence while another
 * run uses the folder, and when the folder cannot be used.
 */
export async function takeDataFolder(directory: string): Promise<DataFolder> {
  const path = resolve(directory);
  const lock = join(path, "lock");
  const supervisor = identify(process.pid);
  if (supervisor === undefined) throw new Error("The start time of this process cannot be read.");
  try {
    // Other users may pass through, because PostgreSQL does not run as root. The files inside are private.
    await mkdir(path, { recursive: true, mode: 0o711 });
    await requireOwnFolder(path);
    await endEarlierRun(path, lock);
    // Fails when another start has just written it.
    const text = JSON.stringify({ supervisor, children: [] });
    await writeFile(lock, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error)) throw error;
    const what = `The data folder ${path} (--data) cannot be used`;
    throw new Error(`${what}: ${error.message}.`, { cause: error });
  }

  let children: RecordedChild[] = [];
  const endChildren = (): void => {
    for (const child of children.filter(isRunning)) endSoon(child);
  };
  process.once("exit", endChildren);
  return {
    path,
    at: (...names) => join(path, ...names),
    remember(name, pid) {
      const known = identify(pid);
      children = children.filter(isRunning);
      if (known !== undefined) children.push({ name, ...known });
      replaceJson(lock, { supervisor, children });
    },
    processes: () => [
      { name: "supervisor", pid: process.pid },
      ...children.filter(isRunning).map(({ name, pid }) => ({ name, pid })),
    ],
    async release() {
      process.off("exit", endChildren);
      await rm(join(path, "environment.json"), { force: true });
      await rm(lock, { force: true });
    },
  };
}

/**
 * Marks an empty folder as a data folder. Refuses any other folder without the mark, because a start writes and removes files
 * in it.
 */
async function requireOwnFolder(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.includes(marker)) return;
  if (names.length > 0) {
    throw new Error(
      `The data folder ${path} (--data) is not empty and was not created by Keyturn. Use an empty folder or a new one.`,
    );
  }
  await writeFile(join(path, marker), markerText);
}

/** Throws while the run that wrote the lock still runs; otherwise removes what it left behind. */
async function endEarlierRun(path: string, lock: string): Promise<void> {
  const earlier = readJson(lock, lockShape);
  if (earlier !== undefined && isRunning(earlier.supervisor)) {
    throw new Error(
      `Keyturn is already running with data folder ${path} (process ${earlier.supervisor.pid}). Stop it, or use another folder with --data.`,
    );
  }
  await Promise.all((earlier?.children ?? []).map(end));
  await rm(join(path, "environment.json"), { force: true });
  await rm(lock, { force: true });
}

const endLimitMs = 30_000;

async function end(child: RecordedChild): Promise<void> {
  if (!isRunning(child)) return;
  endSoon(child);
  for (let waited = 0; isRunning(child); waited += 50) {
    if (waited > endLimitMs) {
      throw new Error(
        `Process ${child.pid} (${child.name}) of an earlier run does not end. Kill it, then start again.`,
      );
    }
    await wait(50);
  }
}

/**
 * SIGINT ends every kind of child in order. On SIGTERM, PostgreSQL would wait until all clients are gone; on SIGKILL, Azurite
 * would lose its latest writes.
 */
function endSoon({ pid }: RecordedChild): void {
  process.kill(pid, "SIGINT");
}

/** Returns undefined when the process has ended. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === "linux" ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether this process still runs. A later process with the same id does not count. */
function isRunning(known: ProcessIdentity): boolean {
  return identify(known.pid)?.started === known.started;
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name is in parentheses and may contain any character.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // A zombie process has ended.
    return /[ZX]/.test(fields[0] ?? "X") ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return text.trim() || undefined;
  } catch {
    return undefined;
  }
}

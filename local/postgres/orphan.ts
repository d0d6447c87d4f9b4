import { execFile } from "node:child_process";
import { readFile, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";

/** Stops a server that still runs on this data directory because the process that started it was killed. */
export async function stopOrphan(data: string): Promise<void> {
  const lockFile = join(data, "postmaster.pid");
  const lines = await readFile(lockFile, "utf8").catch(() => "");
  const pid = Number.parseInt(lines, 10);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  const place = await realpath(data);
  if (!(await isServerOn(pid, place))) {
    // Another program has this process id now. With the lock file, the new server would not start.
    await rm(lockFile, { force: true });
    return;
  }
  process.kill(pid, "SIGINT");
  for (let waited = 0; await isServerOn(pid, place); waited += 20) {
    if (waited === 10_000) process.kill(pid, "SIGQUIT");
    if (waited > 20_000)
      throw new Error(
        `The PostgreSQL server on ${data} (process ${pid}) does not stop. Kill it, then start again.`,
      );
    await wait(20);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Checks the command line, which a zombie process does not have. */
async function isServerOn(pid: number, data: string): Promise<boolean> {
  const words = await commandLine(pid);
  return /\bpostgres\b/.test(words) && words.includes(data);
}

async function commandLine(pid: number): Promise<string> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
  } catch {
    const output = promisify(execFile)("ps", ["-o", "command=", "-p", String(pid)]);
    return output.then(({ stdout }) => stdout).catch(() => "");
  }
}

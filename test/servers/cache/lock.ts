import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Runs `work` while no other process holds the lock of this file. The system releases the lock when this process ends, however it
 * ends.
 */
export async function withLock<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  // The holder ends when its standard input closes.
  const holder = spawn("flock", ["--exclusive", file, "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
    // A terminal's Ctrl-C must not release the lock while the work still runs.
    detached: true,
  });
  const ended = once(holder, "close");
  try {
    const locked = await Promise.race([once(holder.stdout, "data").then(() => true), ended]);
    if (locked !== true) throw new Error(`${file} cannot be locked.`);
    return await work();
  } finally {
    holder.stdin.end();
    holder.stdout.resume();
    await ended.catch(() => undefined);
  }
}

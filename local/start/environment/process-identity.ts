import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { z } from "zod";

/** A process that can be told from a later one with the same id. */
export const processIdentity = z.object({
  pid: z.int().min(2),
  /** When it was started, in whatever form the system tells it. */
  started: z.string().min(1),
});
export type ProcessIdentity = z.output<typeof processIdentity>;

/** Undefined when there is no such process any more. */
export function identify(pid: number): ProcessIdentity | undefined {
  const started = process.platform === "linux" ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

/** Whether that very process still runs; another one that got its number since does not count. */
export function isRunning(known: ProcessIdentity): boolean {
  return identify(known.pid)?.started === known.started;
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name stands in parentheses and may itself hold any character.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // One that has ended and was not collected yet does nothing any more.
    return /[ZX]/.test(fields[0] ?? "X") ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    const told = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return told.trim() || undefined;
  } catch {
    return undefined;
  }
}

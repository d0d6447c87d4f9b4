import { readFileSync } from "node:fs";

/** On Linux. A process that has ended and that its parent has not noticed yet has no command line. */
export function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${String(pid)}/cmdline`, "utf8") !== "";
  } catch {
    return false;
  }
}

/**
 * Returns a command line that runs `command` and, on Linux, makes the system send it `signal` when this process ends, even by
 * SIGKILL. The process id is that of the command.
 */
export function endWithParent(
  command: readonly [string, ...string[]],
  signal: "KILL" | "QUIT",
): readonly [string, ...string[]] {
  if (process.platform !== "linux") return command;
  return ["setpriv", "--pdeathsig", signal, "--", ...command];
}

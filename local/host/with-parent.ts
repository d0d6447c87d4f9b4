/**
 * Ends this process when its parent has ended, even by SIGKILL: the system then closes the parent's end of the IPC channel or of
 * the pipe to standard input.
 *
 * Importing this file is enough, so any program can be started with `node --import <this file> program.js`. The process sends
 * SIGTERM to itself, so that the program's own handler runs. Without an IPC channel, standard input must be a pipe, not "ignore".
 */
const end = (): void => {
  process.kill(process.pid, "SIGTERM");
};

if (process.channel === undefined) {
  process.stdin.resume().once("end", end).once("error", end);
  // This watcher must not keep an otherwise finished program alive.
  process.stdin.unref();
} else {
  process.once("disconnect", end);
}

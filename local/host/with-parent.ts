/**
 * Ends this process when the one that started it is gone, however it went: on SIGKILL, too, the system
 * closes its end of the IPC channel or of the pipe to standard input.
 *
 * Works when imported, so that a program that knows nothing of it can be started with
 * `node --import <this file> program.js`. It sends SIGTERM to itself, so that the program's own handler
 * runs. Without an IPC channel, standard input must be a pipe: it must not be "ignore".
 */
const end = (): void => {
  process.kill(process.pid, "SIGTERM");
};

if (process.channel === undefined) {
  process.stdin.resume().once("end", end).once("error", end);
  // Watching must not keep alive a program that has nothing else to do.
  process.stdin.unref();
} else {
  process.once("disconnect", end);
}

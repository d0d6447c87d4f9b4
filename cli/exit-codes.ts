/** The exit codes of every command. Scripts rely on them, so a code never changes its meaning. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  waits: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each code means, for `--help` and the reference. */
export const meanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: "The command succeeded, or the app accepted the request.",
  failed: "The operation failed, or the configuration has problems.",
  usage: "The command line is wrong, or the app rejected a value in it.",
  notFound: "The target, the rotation, the freeze or the breach does not exist.",
  unreachable: "The app cannot be reached, rejects the sign-in, or is unavailable.",
  waits: "The time of --timeout is over, and the rotation or the breach goes on.",
  interrupted: "Ctrl-C, or Ctrl-D at a question. A followed rotation or breach goes on.",
};

/** Ends the command with a message for the operator: what happened, and what to do next. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exitCode: ExitCode;
  /** Whether the same request may succeed in a moment. */
  readonly isTransient: boolean;

  constructor(message: string, exitCode: ExitCode, { isTransient = false } = {}) {
    super(message);
    this.exitCode = exitCode;
    this.isTransient = isTransient;
  }
}

/** The command line is wrong, which the library could not see. */
export function usageFailure(message: string): Failure {
  return new Failure(message, exitCodes.usage);
}

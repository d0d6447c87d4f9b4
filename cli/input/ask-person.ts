import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { exitCodes, Failure } from "../exit-codes.ts";

interface Question {
  readonly text: string;
  /** Whether the answer is a secret, which the terminal must not show. */
  readonly isSecret?: true;
  /** The message after Ctrl-C or Ctrl-D. */
  readonly ifLeft: string;
}

/** Whether a person can be asked: both ends of the question are a terminal. */
export function canAsk(): boolean {
  return process.stdin.isTTY && process.stderr.isTTY;
}

/** Asks on standard error, and returns the line that the person typed. Throws Failure after Ctrl-C or Ctrl-D. */
export async function askPerson({ text, isSecret, ifLeft }: Question): Promise<string> {
  const left = new AbortController();
  const leave = () => {
    left.abort();
  };
  const output = isSecret ? makeSilent() : process.stderr;
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  // Only now does the terminal not show what is typed.
  if (isSecret) process.stderr.write(text);
  terminal.once("SIGINT", leave).once("close", leave);
  try {
    return await terminal.question(isSecret ? "" : text, { signal: left.signal });
  } catch (error) {
    throw left.signal.aborted ? new Failure(ifLeft, exitCodes.interrupted) : error;
  } finally {
    if (isSecret) process.stderr.write("\n");
    terminal.close();
  }
}

const makeSilent = (): Writable =>
  new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { toPrintable } from "../../shared/app.ts";
import { usageFailure } from "../exit-codes.ts";

/** Bytes. The app accepts no longer password. */
const maxBytes = 25 * 1024;

/**
 * Reads a secret from the file, from standard input, or from a prompt that does not show it. It is never an argument: other users see
 * those in the list of processes. One line break at its end is not part of it. Throws Failure.
 */
export async function readSecret(prompt: string, file: string | undefined): Promise<string> {
  const written = file === undefined ? await readInput(prompt) : await readSecretFile(file);
  if (Buffer.byteLength(written) > maxBytes) {
    throw usageFailure(`The password is longer than ${maxBytes} bytes.`);
  }
  const secret = written.replace(/\r?\n$/, "");
  if (secret === "") throw usageFailure("The password is empty.");
  return secret;
}

async function readSecretFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code: unknown = Reflect.get(Object(error), "code");
    throw usageFailure(`The file ${toPrintable(file)} cannot be read (${String(code)}).`);
  }
}

function readInput(prompt: string): Promise<string> {
  return process.stdin.isTTY ? ask(prompt) : text(process.stdin);
}

/** Shows the prompt on standard error, and nothing of what is typed. */
async function ask(prompt: string): Promise<string> {
  const silent = new Writable({
    write(_chunk, _encoding, done) {
      done();
    },
  });
  process.stderr.write(prompt);
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  const stop = new AbortController();
  terminal.once("SIGINT", () => {
    stop.abort();
  });
  try {
    return await terminal.question("", { signal: stop.signal });
  } catch (error) {
    if (stop.signal.aborted) throw usageFailure("Nothing was sent.");
    throw error;
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}

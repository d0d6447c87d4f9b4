import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { toPrintable } from "../../shared/app.ts";
import { usageFailure } from "../exit-codes.ts";
import { askPerson } from "./ask-person.ts";

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
  if (!process.stdin.isTTY) return text(process.stdin);
  return askPerson({ text: prompt, isSecret: true, ifLeft: "Nothing was sent." });
}

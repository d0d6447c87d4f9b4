import { statfs } from "node:fs/promises";

/** Bytes. PostgreSQL alone writes 16 MiB at a time. */
const nearlyNothing = 4 * 1024 * 1024;

/** What a child said on standard error, without the stack of a program that crashed. */
export function withoutStack(errors: string): string {
  if (!/^ {4}at /m.test(errors)) return errors;
  const [, message] = /^(?:Uncaught )?([\w.]*Error\b[^\n]*)/m.exec(errors) ?? [];
  return message ?? "it crashed";
}

/** The message of a failure; the first cause of most is a disk that is full, which many messages do not say. */
export async function describeChildFailure(error: unknown, data: string): Promise<string> {
  const text = error instanceof Error ? error.message : String(error);
  if (!/\bENOSPC\b|no space left/i.test(text) && !(await isFull(data))) return text;
  return `The disk of ${data} is full. Free some space, then start again: Keyturn continues where it stopped.\n${text}`;
}

async function isFull(path: string): Promise<boolean> {
  const found = await statfs(path).catch(() => undefined);
  return found !== undefined && found.bavail * found.bsize < nearlyNothing;
}

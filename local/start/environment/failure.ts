import { statfs } from "node:fs/promises";

/** Bytes. A disk with less free space counts as full: PostgreSQL writes 16 MiB at a time. */
const fullDiskBytes = 4 * 1024 * 1024;

/** Returns the standard error of a child without the stack trace of a crash. */
export function withoutStack(errors: string): string {
  if (!/^ {4}at /m.test(errors)) return errors;
  const [, message] = /^(?:Uncaught )?([\w.]*Error\b[^\n]*)/m.exec(errors) ?? [];
  return message ?? "it crashed";
}

/** Describes a failure, and adds a full disk as its likely cause, which many messages do not mention. */
export async function describeChildFailure(error: unknown, data: string): Promise<string> {
  const text = error instanceof Error ? error.message : String(error);
  if (!/\bENOSPC\b|no space left/i.test(text) && !(await isFull(data))) return text;
  return `The disk of ${data} is full. Free some space and start again; Keyturn continues where it stopped.\n${text}`;
}

async function isFull(path: string): Promise<boolean> {
  const found = await statfs(path).catch(() => undefined);
  return found !== undefined && found.bavail * found.bsize < fullDiskBytes;
}

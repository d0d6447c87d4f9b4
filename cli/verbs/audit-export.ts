import { access, type FileHandle, open, rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { toPrintable } from "../../shared/app.ts";
import type { Client } from "../api/client.ts";
import { exitCodes, Failure, usageFailure } from "../exit-codes.ts";
import { printNote } from "../output/print.ts";

/** Writes every part of the export to a new file: an earlier one may be evidence. A file appears only when it is complete. */
export async function exportLedger(
  client: Client,
  file: string,
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
): Promise<void> {
  if (await exists(file)) throw usageFailure(`${file} exists already. Name a new file.`);
  const unfinished = `${file}.part`;
  const handle = await openNew(file, unfinished);
  let entries = 0;
  async function* readParts(): AsyncGenerator<string> {
    for await (const text of client.texts("api-audit", { format: "jsonl", since, until })) {
      entries += text.split("\n").filter((line) => line.includes('"type":"entry"')).length;
      yield text;
    }
  }
  try {
    await pipeline(readParts(), handle.createWriteStream({ flush: true }));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true }).catch(() => undefined);
    throw explainWriting(error, file);
  }
  printNote(`Wrote ${entries} entries to ${file}. Check them with: keyturn audit verify ${file}`);
}

async function openNew(file: string, unfinished: string): Promise<FileHandle> {
  return open(unfinished, "w", 0o600).catch(() => {
    throw usageFailure(`${file} cannot be written. Check the folder and its permissions.`);
  });
}

/** The failure for an error of the file system. Any other error, such as that of a request, stays as it is. */
function explainWriting(error: unknown, file: string): unknown {
  const { code, syscall } = Object(error) as Partial<NodeJS.ErrnoException>;
  if (error instanceof Failure || code === undefined || syscall === undefined) return error;
  return new Failure(
    `${toPrintable(file)} cannot be written (${code}), so nothing was kept of the export. Make room on the disk, or name a file on another one, and export again.`,
    exitCodes.failed,
  );
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

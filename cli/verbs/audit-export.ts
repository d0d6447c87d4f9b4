import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { access, rename, rm } from "node:fs/promises";
import type { Client } from "../api/client.ts";
import { usageFailure } from "../exit-codes.ts";
import { printNote } from "../output/print.ts";

/** Writes every part of the export to a new file: an earlier one may be evidence. A file appears only when it is complete. */
export async function exportLedger(
  client: Client,
  file: string,
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
): Promise<void> {
  if (await exists(file)) throw usageFailure(`${file} exists already. Name a new file.`);
  const unfinished = `${file}.part`;
  const stream = createWriteStream(unfinished, { mode: 0o600 });
  let entries = 0;
  try {
    await once(stream, "open").catch(() => {
      throw usageFailure(`${file} cannot be written. Check the folder and its permissions.`);
    });
    for await (const text of client.texts("api-audit", { format: "jsonl", since, until })) {
      entries += text.split("\n").filter((line) => line.includes('"type":"entry"')).length;
      if (!stream.write(text)) await once(stream, "drain");
    }
    stream.end();
    await once(stream, "finish");
    await rename(unfinished, file);
  } catch (error) {
    stream.destroy();
    await rm(unfinished, { force: true });
    throw error;
  }
  printNote(`Wrote ${entries} entries to ${file}. Check them with: keyturn audit verify ${file}`);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { type Change, changeSchema } from "./state.ts";

export interface ChangeLog {
  /** Resolves when all changes, or none, would survive the death of this process. */
  append(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

export const memoryLog: ChangeLog = {
  append: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const line = z.array(changeSchema);
const NEWLINE = 0x0a;

/**
 * Opens a file with one JSON line for each accepted request. The file contains plain secrets, so its mode is 0600. Only one
 * process may open it; this function does not check that.
 */
export async function openChangeLog(file: string): Promise<{ log: ChangeLog; changes: Change[] }> {
  await mkdir(dirname(file), { recursive: true });
  // Not "a": Linux ignores the position of a write to a file opened for appending.
  const handle = await open(file, "a", 0o600).then(async (created) => {
    await created.chmod(0o600);
    await created.close();
    return open(file, "r+");
  });
  try {
    const bytes = await handle.readFile();
    // A process that is killed during a write leaves an incomplete last line. No client relies on it, because
    // its request was never answered.
    const whole = bytes.lastIndexOf(NEWLINE) + 1;
    if (whole < bytes.length) await handle.truncate(whole);
    const changes = parseLines(bytes.subarray(0, whole).toString("utf8"), file);
    return { log: appendTo(handle, whole), changes };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function parseLines(text: string, file: string): Change[] {
  return text
    .split("\n")
    .slice(0, -1)
    .flatMap((each, index) => {
      try {
        return line.parse(JSON.parse(each));
      } catch {
        // The error contains neither the line nor the parser's message, because both can quote a secret.
        throw new Error(`Line ${String(index + 1)} of ${file} is damaged. Delete the file.`);
      }
    });
}

function appendTo(handle: FileHandle, start: number): ChangeLog {
  let length = start;
  return {
    async append(changes) {
      const bytes = Buffer.from(`${JSON.stringify(changes)}\n`);
      try {
        for (let done = 0; done < bytes.length;) {
          const rest = await handle.write(bytes, done, bytes.length - done, length + done);
          done += rest.bytesWritten;
        }
        await handle.datasync();
      } catch (error) {
        // Removes the part of the line that was written before the disk was full, so that it does not join the next line.
        await handle.truncate(length);
        throw error;
      }
      length += bytes.length;
    },
    close: () => handle.close(),
  };
}

import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { type Change, changeSchema } from "./state.ts";

export interface ChangeLog {
  /** Returns when the changes would survive the death of this process; all of them or none. */
  append(changes: readonly Change[]): Promise<void>;
  close(): Promise<void>;
}

export const memoryLog: ChangeLog = {
  append: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

const line = z.array(changeSchema);
const NEWLINE = 0x0a;

/** One JSON line for each accepted request. The file holds secrets in the clear: mode 0600.
 *  Only one process may have it open; nothing here guards against a second one. */
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
    // A process killed in the middle of a write leaves a last line without an end. Its request was
    // never answered, so nobody relies on it.
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
        // Neither the line nor the parser's message may be shown: both can quote a secret.
        throw new Error(`Line ${String(index + 1)} of ${file} is damaged; remove the file`);
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
        // A full disk may have taken a part of the line; it must not run into the next one.
        await handle.truncate(length);
        throw error;
      }
      length += bytes.length;
    },
    close: () => handle.close(),
  };
}

import { readFile, rename, writeFile } from "node:fs/promises";
import type { ZodType } from "zod";

/** Returns undefined when the file does not exist or has another shape. */
export async function readJson<Shape>(
  file: string,
  shape: ZodType<Shape>,
): Promise<Shape | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return shape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Writes a private file and renames it into place, so that no reader sees half of it. */
export async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export function replaceJson(file: string, value: unknown): Promise<void> {
  return replaceFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

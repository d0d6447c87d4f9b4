import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The bytes of one file of the configuration, or why it cannot be read. */
export type SourceFile =
  | { readonly name: string; readonly bytes: Uint8Array }
  | { readonly name: string; readonly problem: string };

export interface SourceFiles {
  readonly files: readonly SourceFile[];
  /** The folder of the files. Relative paths in them begin here. */
  readonly folder: string;
}

const maxFiles = 500;

/** Reads one file, or every .yaml and .yml file directly in a folder, sorted by name. */
export async function readFiles(path: string): Promise<SourceFiles> {
  return (await isFolder(path))
    ? { files: await readFolder(path), folder: path }
    : { files: [await readOne(path, basename(path))], folder: dirname(path) };
}

function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function readFolder(path: string): Promise<SourceFile[]> {
  const name = basename(path);
  try {
    // Skips hidden files: mounted volumes and editors keep copies in them.
    const files = (await readdir(path)).filter((file) => /^[^.].*\.ya?ml$/.test(file)).sort();
    if (files.length === 0) return [{ name, problem: "is a folder without .yaml files" }];
    if (files.length > maxFiles) {
      return [{ name, problem: `contains more than ${maxFiles} .yaml files` }];
    }
    return await Promise.all(files.map((file) => readOne(join(path, file), `${name}/${file}`)));
  } catch (error) {
    return [{ name, problem: unreadable(error) }];
  }
}

async function readOne(path: string, name: string): Promise<SourceFile> {
  try {
    return { name, bytes: await readFile(path) };
  } catch (error) {
    return { name, problem: unreadable(error) };
  }
}

function unreadable(error: unknown): string {
  if (!(error instanceof Error && "code" in error)) throw error;
  if (error.code === "ENOENT") return "does not exist";
  return `cannot be read (${String(error.code)})`;
}

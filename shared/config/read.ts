import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { brokenSource, parseSource } from "./document.ts";
import type { Source } from "./document.ts";

/** 20,000 targets, each with a server of its own and all its fields in lines of their own, take 6 MiB. */
const maxBytes = 8 * 1024 * 1024;
const maxFiles = 500;

export interface Sources {
  readonly sources: readonly Source[];
  /** Where all of them are. Relative paths in them begin here. */
  readonly folder: string;
}

/** One file, or every .yaml and .yml file right inside a folder, in the order of their names. */
export async function readSources(path: string): Promise<Sources> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder
    ? { sources: await readFolder(path), folder: path }
    : { sources: [await readSource(path, basename(path))], folder: dirname(path) };
}

async function readFolder(path: string): Promise<Source[]> {
  const name = basename(path);
  try {
    // Hidden entries are how mounted volumes and editors keep second copies.
    const files = (await readdir(path)).filter((file) => /^[^.].*\.ya?ml$/.test(file)).sort();
    if (files.length === 0) return [brokenSource(name, "is a folder without any .yaml file")];
    if (files.length > maxFiles) {
      return [brokenSource(name, `holds more than ${maxFiles} .yaml files`)];
    }
    return await Promise.all(files.map((file) => readSource(join(path, file), `${name}/${file}`)));
  } catch (error) {
    return [brokenSource(name, unreadable(error))];
  }
}

async function readSource(path: string, name: string): Promise<Source> {
  try {
    const { size } = await stat(path);
    if (size > maxBytes) {
      return brokenSource(name, `is larger than ${maxBytes / 1024 / 1024} MiB`);
    }
    const bytes = await readFile(path);
    return parseSource(name, new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return brokenSource(name, unreadable(error));
  }
}

function unreadable(error: unknown): string {
  if (!(error instanceof Error && "code" in error)) throw error;
  if (error.code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "is not UTF-8 text";
  if (error.code === "ENOENT") return "does not exist";
  return `cannot be read (${String(error.code)})`;
}

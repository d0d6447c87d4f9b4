import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { packageName } from "../../scripts/third-party.ts";

/** What the files of a built folder are made of, by their source maps. `root` is the folder of the sources. */
export function readBuilt(root: string, folder: () => string) {
  const scripts = () => globSync("**/*.js", { cwd: folder() });

  /** The files whose code is in a file of the built folder, by its source map. */
  async function listSources(file: string): Promise<string[]> {
    // The bundler's own few lines.
    if (file === path.join("chunks", "rolldown-runtime.js")) return [];
    const text = await readFile(path.join(folder(), `${file}.map`), "utf8");
    const { sources } = JSON.parse(text) as { sources: string[] };
    return sources.map((source) => path.resolve(root, "dist", path.dirname(file), source));
  }

  const packagesInAll = async (files: readonly string[]) =>
    new Set(
      (await Promise.all(files.map(listSources)))
        .flat()
        .map(packageName)
        .filter((name) => name !== undefined),
    );

  /** Packages that sources of the app load when they are used, and not before. */
  async function lazyPackages(): Promise<Set<string>> {
    const sources = (await Promise.all(scripts().map(listSources))).flat();
    const own = sources.filter((file) => packageName(file) === undefined);
    const texts = await Promise.all(own.map((file) => readFile(file, "utf8")));
    const found = texts.flatMap((text) => Array.from(text.matchAll(/\bimport\("([^".][^"]*)"\)/g)));
    const names = found.map(([, name = ""]) => name);
    return new Set(names.filter((name) => !name.startsWith("node:")));
  }

  return { scripts, listSources, packagesInAll, lazyPackages };
}

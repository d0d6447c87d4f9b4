import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached, showProgress } from "./cache.ts";
import { run } from "./run.ts";

/** A Python package without compiled parts. */
export interface PythonPackage {
  /** Name and version on PyPI, such as "name==1.2.3". */
  readonly requirement: string;
  /** Of its wheel, hexadecimal. */
  readonly sha256: string;
}

/** Downloads the packages into the cache, if they are not there yet. Returns the folder for PYTHONPATH. */
export async function unpackPython(
  name: string,
  packages: readonly PythonPackage[],
): Promise<string> {
  const tried = packages.map(({ requirement }) => requirement).join(", ");
  try {
    return await cached(name, async (partial) => {
      showProgress(`downloading Python packages ${tried}`);
      const lines = packages.map(
        ({ requirement, sha256 }) => `${requirement} --hash=sha256:${sha256}`,
      );
      const requirements = join(partial, "requirements.txt");
      await writeFile(requirements, `${lines.join("\n")}\n`);
      const pip = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", partial];
      await run([...pip, "--require-hashes", "--requirement", requirements]);
      const wheels = (await readdir(partial)).filter((entry) => entry.endsWith(".whl"));
      for (const wheel of wheels) {
        await run(["python3", "-m", "zipfile", "--extract", join(partial, wheel), partial]);
        await run(["rm", join(partial, wheel)]);
      }
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(
      `Python clients are not available for tests. Tried: ${tried}, with pip.\n${reason}`,
      {
        cause: error,
      },
    );
  }
}

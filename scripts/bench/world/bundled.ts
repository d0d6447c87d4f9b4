import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { canBeMissing, fromTheHost } from "../../not-bundled.ts";

/** As deep below the root as the sources, so that relative paths lead to the same files. */
const folder = fileURLToPath(new URL("../../../node_modules/.cache/bench/", import.meta.url));

/** Bundles a file of `processes/` as the package is bundled, and returns the path of the bundle. */
export async function bundled(name: string): Promise<string> {
  const build = await rolldown({
    input: { [name]: fileURLToPath(new URL(`../processes/${name}.ts`, import.meta.url)) },
    platform: "node",
    external: [...fromTheHost, ...Object.keys(canBeMissing)],
  });
  try {
    await build.write({ dir: folder, format: "esm", entryFileNames: "[name].mjs" });
    return `${folder}${name}.mjs`;
  } finally {
    await build.close();
  }
}

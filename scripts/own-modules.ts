import { createHash } from "node:crypto";
import { dirname, join, resolve } from "node:path";
import { type Plugin, rolldown } from "rolldown";

/** A module with a rotator of the operator. */
export interface OwnModule {
  /** As the configuration names it. */
  readonly path: string;
  readonly file: string;
}

export const listOwnModules = (config: string, paths: readonly string[]): readonly OwnModule[] =>
  paths.map((path) => ({ path, file: resolve(dirname(config), path) }));

/** Makes `keyturn/rotator` mean this Keyturn in every module, wherever its file is. */
const withOwnExport = (root: string): Plugin => ({
  name: "own-export",
  resolveId: (name) =>
    name === "keyturn/rotator" ? join(root, "shared/rotators/own/author.ts") : undefined,
});

/** Puts the modules into the package. */
export const bundling = (root: string, modules: readonly OwnModule[]): Plugin[] => [
  withOwnExport(root),
  {
    name: "own-modules",
    load: (file) =>
      file === join(root, "shared/rotators/own/bundled.ts") ? writeList(modules) : undefined,
  },
];

function writeList(modules: readonly OwnModule[]): string {
  if (modules.length === 0) return "export const bundled = new Map();";
  const imports = modules.map(({ file }, at) => `import own${at} from ${JSON.stringify(file)};`);
  const entries = modules.map(({ path }, at) => `[${JSON.stringify(path)}, own${at}]`);
  return [...imports, `export const bundled = new Map([${entries.join(", ")}]);`].join("\n");
}

/** A text that changes with the modules, and with every file that they import. */
export async function hashModules(root: string, modules: readonly OwnModule[]): Promise<string> {
  const hash = createHash("sha256");
  for (const { path, file } of modules) {
    const build = await rolldown({
      cwd: root,
      input: file,
      platform: "node",
      // Its sources are part of the build id anyway.
      external: ["keyturn/rotator"],
      onLog: () => undefined,
    });
    const { output } = await build.generate({ format: "esm", codeSplitting: false });
    hash.update(path);
    for (const part of output) if (part.type === "chunk") hash.update(part.code);
    await build.close();
  }
  return hash.digest("hex");
}

import { constants } from "node:fs";
import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { checkConfig, toFormPath, writeCheckedForm } from "../shared/app.ts";

/** A checked configuration. */
export interface Packed {
  readonly file: string;
  /** CA files that it names by a path relative to its folder. */
  readonly files: readonly string[];
  /** CA files that must already exist on the server. */
  readonly elsewhere: readonly string[];
  /** Modules with rotators of the operator, as paths from the folder of the configuration. */
  readonly modules: readonly string[];
  readonly warnings: readonly string[];
}

/** Checks the `given` configuration. Throws an error that lists every problem. */
export async function checkPacked(given: string, root: string): Promise<Packed> {
  const file = resolve(given);
  if (await isFolder(file)) {
    throw new Error(
      `--config ${given} is a folder. Use one file, or set KEYTURN_CONFIG to the folder.`,
    );
  }
  const { targets, modules, warnings } = await checkConfig(file, root);
  const named = [...new Set(targets.flatMap(({ caFile }) => caFile ?? []))];
  const fromFolder = named.map((path) => relative(dirname(file), path));
  const isInside = (path: string) => !path.startsWith("..") && !isAbsolute(path);
  return {
    file,
    files: fromFolder.filter(isInside),
    elsewhere: named.filter((_, index) => !isInside(fromFolder[index] ?? "..")),
    modules,
    warnings,
  };
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Puts a configuration into the package, with its checked form. */
export async function pack({ file, files }: Packed, out: string, build: string): Promise<void> {
  const bytes = await readFile(file);
  const packed = join(out, "keyturn.yaml");
  await writeFile(packed, bytes);
  const form = await writeCheckedForm(
    { files: [{ name: "keyturn.yaml", bytes }], folder: dirname(file) },
    build,
  );
  if (form !== undefined) await writeFile(toFormPath(packed), form);
  for (const path of files) {
    await mkdir(dirname(join(out, path)), { recursive: true });
    await copyFile(join(dirname(file), path), join(out, path), constants.COPYFILE_EXCL);
  }
}

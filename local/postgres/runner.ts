import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** The user that the server runs as; undefined means the current user. Spread into the options of spawn. */
export type Runner = { readonly uid: number; readonly gid: number } | undefined;

/** PostgreSQL refuses to run as root. It needs an existing user, and `nobody` exists on almost every system. */
const nobody: Runner = { uid: 65534, gid: 65534 };

export function makeRunner(): Runner {
  return process.getuid?.() === 0 ? nobody : undefined;
}

/** Returns the first folder on the way to `path`, including itself, that the runner may not pass through. */
export async function findBlockingFolder(path: string, as: Runner): Promise<string | undefined> {
  if (as === undefined) return undefined;
  const real = await realpath(path);
  const parent = dirname(real);
  const above = parent === real ? undefined : await findBlockingFolder(parent, as);
  if (above !== undefined) return above;
  const { mode, uid, gid } = await stat(real);
  const passable = uid === as.uid ? 0o100 : gid === as.gid ? 0o010 : 0o001;
  return (mode & passable) === 0 ? real : undefined;
}

/**
 * Returns the folder of one cluster, which the runner owns. It is `directory`, or, where the runner cannot reach that (such as a
 * checkout under root's home), another folder that is always the same for the directory.
 */
export async function toClusterFolder(directory: string, as: Runner): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (as === undefined) return directory;
  const blocked = (await findBlockingFolder(dirname(await realpath(directory)), as)) !== undefined;
  const folder = blocked ? await folderOutside(directory) : directory;
  await chown(folder, as.uid, as.gid);
  return folder;
}

async function folderOutside(directory: string): Promise<string> {
  const name = createHash("sha256")
    .update(await realpath(directory))
    .digest("hex");
  const folder = join(await findSharedFolder(), `cluster-${name.slice(0, 16)}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Returns a folder that, unlike /tmp, survives a restart of the machine. Every user can read it, and only this user can write it. */
export async function findSharedFolder(): Promise<string> {
  const folder = "/var/tmp/keyturn-postgresql";
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const found = await lstat(folder);
  // Any user may create a folder in /var/tmp, and programs in this one are executed.
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} belongs to another user. Delete it, or do not run as root.`);
  }
  await chmod(folder, 0o755);
  return folder;
}

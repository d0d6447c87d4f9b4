import { createHash } from "node:crypto";
import { chmod, chown, lstat, mkdir, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** As whom the server runs; undefined: as ourselves. Spread into the options of spawn. */
export type Runner = { readonly uid: number; readonly gid: number } | undefined;

/** PostgreSQL refuses to run as root. It wants a user that exists, and `nobody` does nearly everywhere. */
const nobody: Runner = { uid: 65534, gid: 65534 };

export function runner(): Runner {
  return process.getuid?.() === 0 ? nobody : undefined;
}

/** The first folder on the way to `path` (itself included) that the runner may not pass through. */
export async function blockingFolder(path: string, as: Runner): Promise<string | undefined> {
  if (as === undefined) return undefined;
  const real = await realpath(path);
  const parent = dirname(real);
  const above = parent === real ? undefined : await blockingFolder(parent, as);
  if (above !== undefined) return above;
  const { mode, uid, gid } = await stat(real);
  const passable = uid === as.uid ? 0o100 : gid === as.gid ? 0o010 : 0o001;
  return (mode & passable) === 0 ? real : undefined;
}

/**
 * A folder for everything of one cluster, which belongs to the runner. It is `directory`, or, where the runner could
 * not get there (a checkout under root's home), a folder outside that is always the same for that directory.
 */
export async function clusterFolder(directory: string, as: Runner): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (as === undefined) return directory;
  const blocked = (await blockingFolder(dirname(await realpath(directory)), as)) !== undefined;
  const folder = blocked ? await folderOutside(directory) : directory;
  await chown(folder, as.uid, as.gid);
  return folder;
}

async function folderOutside(directory: string): Promise<string> {
  const name = createHash("sha256")
    .update(await realpath(directory))
    .digest("hex");
  const folder = join(await sharedFolder(), `cluster-${name.slice(0, 16)}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Survives a restart of the machine, unlike /tmp; everybody can read it and only we can write it. */
export async function sharedFolder(): Promise<string> {
  const folder = "/var/tmp/keyturn-postgresql";
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const found = await lstat(folder);
  // Anybody may make a folder in /var/tmp, and what is in it will be executed.
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} belongs to somebody else; remove it, or run as an ordinary user.`);
  }
  await chmod(folder, 0o755);
  return folder;
}

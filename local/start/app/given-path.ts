import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EEXIST: "the path is a file",
  ENOTDIR: "a part of the path is a file",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
};

/** Throws one sentence when the configuration (a file, or a folder of files) does not exist or cannot be read. */
export async function requireReadable(path: string): Promise<void> {
  const refused = (why: string) => new Error(`--config ${path} cannot be read: ${why}.`);
  const explain = (error: unknown) => {
    throw refused(plainReason(error, "it does not exist"));
  };
  const found = await stat(path).catch(explain);
  // Reading from a pipe or a device may never end.
  if (!found.isFile() && !found.isDirectory()) throw refused("it is neither a file nor a folder");
  await access(path, constants.R_OK).catch(explain);
}

/** Turns a system error about the data folder into one sentence; returns other errors unchanged. */
export function explainDataFolder(path: string, error: unknown): unknown {
  if (readErrorCode(error) === undefined) return error;
  const why = plainReason(error, "files cannot be created there");
  return new Error(`The data folder ${path} (--data) cannot be used: ${why}.`);
}

/**
 * Makes a folder and its parents, which other users may pass through. Makes them one by one, because Node's recursive mkdir
 * never ends where the system makes no folders, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path, { mode: 0o711 }).catch(async (error: unknown) => {
    // Another process may have made the folder in the meantime.
    if (!(await isFolder(path))) throw error;
  });
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

function plainReason(error: unknown, missing: string): string {
  const code = readErrorCode(error) ?? "";
  return code === "ENOENT" ? missing : (reasons[code] ?? `system error ${code}`);
}

function readErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

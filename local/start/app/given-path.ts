import { access, constants, mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission is denied",
  EEXIST: "it is a file",
  ENOTDIR: "a file is in its way",
  EPERM: "permission is denied",
  EROFS: "the file system is read-only",
};

/** Throws one sentence when the configuration, a file or a folder of them, is not there or cannot be read. */
export async function requireReadable(path: string): Promise<void> {
  const refused = (why: string) => new Error(`--config ${path} cannot be read: ${why}.`);
  const explain = (error: unknown) => {
    throw refused(plainReason(error, "it does not exist"));
  };
  const found = await stat(path).catch(explain);
  // Reading a pipe or a device may never end.
  if (!found.isFile() && !found.isDirectory()) throw refused("it is neither a file nor a folder");
  await access(path, constants.R_OK).catch(explain);
}

/** Turns what the system says while the data folder is taken into one sentence; leaves other errors as they are. */
export function explainDataFolder(path: string, error: unknown): unknown {
  if (readErrorCode(error) === undefined) return error;
  const why = plainReason(error, "the system makes no files or folders there");
  return new Error(`The data folder ${path} (--data) cannot be used: ${why}.`);
}

/**
 * Makes a folder and those above it, passable by others. One by one: where the system makes no folders, as in /proc,
 * the recursion of Node's own mkdir never ends.
 */
export async function makeFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  await mkdir(path, { mode: 0o711 }).catch(async (error: unknown) => {
    // Somebody else may have been quicker.
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
  return code === "ENOENT" ? missing : (reasons[code] ?? `the system says ${code}`);
}

function readErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

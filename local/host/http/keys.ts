import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";

/** The access keys of the app. */
export interface Keys {
  /** Allows everything, including `/admin`. */
  master: string;
  /** Allows every function of authLevel "function". */
  default: string;
  /** Keys by function name; each allows only that function. */
  functions: Record<string, string>;
  /** Allows the Event Grid webhook. */
  eventgrid_extension: string;
}

const keysFile = z.object({
  master: z.string().min(20),
  default: z.string().min(20),
  functions: z.record(z.string(), z.string().min(20)),
  eventgrid_extension: z.string().min(20),
});

/** Reads the keys from `file` and makes missing ones. Without a file, the keys last one run. */
export async function loadKeys(
  file: string | undefined,
  functionNames: readonly string[],
): Promise<Keys> {
  const stored = file === undefined ? undefined : await readKeys(file);
  const functions = { ...stored?.functions };
  for (const name of functionNames) functions[name] ??= newKey();
  const keys: Keys = {
    master: stored?.master ?? newKey(),
    default: stored?.default ?? newKey(),
    functions,
    eventgrid_extension: stored?.eventgrid_extension ?? newKey(),
  };
  if (file !== undefined) await writeKeys(file, keys);
  return keys;
}

const newKey = (): string => randomBytes(40).toString("base64url");

async function readKeys(file: string): Promise<Keys | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const parsed = z.string().transform(parseJson).pipe(keysFile).safeParse(text);
  // The error does not include the cause, which could quote a key.
  if (!parsed.success)
    throw new Error(`${file} does not contain access keys. Delete it to create new ones.`);
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function writeKeys(file: string, keys: Keys): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  await chmod(draft, 0o600);
  await rename(draft, file);
}

/** Returns the key of a request. The header takes precedence over the query, even with a wrong key. */
export const readPresentedKey = (
  header: string | string[] | undefined,
  query: URLSearchParams,
): string | undefined =>
  (Array.isArray(header) ? header[0] : header) ?? query.get("code") ?? undefined;

/** Whether `presented` is one of `accepted`, compared in constant time. */
export function isAnyKey(presented: string | undefined, accepted: readonly (string | undefined)[]) {
  if (presented === undefined) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const given = digest(presented);
  return accepted
    .filter((key) => key !== undefined)
    .map((key) => timingSafeEqual(digest(key), given))
    .includes(true);
}

import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import type { TargetDraft } from "./drafts.ts";
import { isRecord } from "./document.ts";
import type { Problem } from "./problems.ts";

/** How every rotator that speaks TLS writes which authorities are trusted. */
const withAuthorities = z.looseObject({ tls: z.looseObject({ caFile: z.string().min(1) }) });

/** The file with the authorities that the options name, if they name one. */
export function authoritiesOf(options: unknown): string | undefined {
  return withAuthorities.safeParse(options).data?.tls.caFile;
}

/** Options in which the path of the authorities' file is absolute. A relative one begins at `folder`. */
export function anchored(options: unknown, folder: string): unknown {
  const found = withAuthorities.safeParse(options).data;
  if (found === undefined) return options;
  return { ...found, tls: { ...found.tls, caFile: resolve(folder, found.tls.caFile) } };
}

/** Finds files of authorities that are not there, whether or not the other options are well-formed. */
export async function checkAuthorities(
  drafts: readonly TargetDraft[],
  folder: string,
): Promise<Problem[]> {
  const problems = drafts.map(async ({ entry }): Promise<Problem[]> => {
    const options = isRecord(entry.value) ? entry.value["options"] : undefined;
    const file = authoritiesOf(options);
    const message = file === undefined ? undefined : await trouble(resolve(folder, file));
    if (message === undefined) return [];
    const path = [...entry.path, "options", "tls", "caFile"];
    return [entry.source.locate({ path, message })];
  });
  return (await Promise.all(problems)).flat();
}

/** Does not repeat the path: somebody may have put a key in its place. */
async function trouble(file: string): Promise<string | undefined> {
  try {
    if (!(await stat(file)).isFile()) return "is no file";
    await access(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const code: unknown = error instanceof Error && Reflect.get(error, "code");
    if (code !== "ENOENT") return `cannot be read (${String(code)})`;
    return "there is no such file; a relative path begins at the folder of the configuration";
  }
}

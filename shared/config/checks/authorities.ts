import { access, constants, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Target } from "../../core/target.ts";
import type { Configured } from "../config.ts";
import type { Problem } from "../problems.ts";
import { isRecord } from "../yaml/is-record.ts";
import type { TargetDraft } from "./drafts.ts";

/** The file with the authorities that the options name, as every rotator that speaks TLS has it. */
export function findCaFile(options: unknown): string | undefined {
  const tls = isRecord(options) ? options["tls"] : undefined;
  const file = isRecord(tls) ? tls["caFile"] : undefined;
  return typeof file === "string" && file !== "" ? file : undefined;
}

/** Targets with absolute paths of authorities' files. Relative ones begin at `folder`. */
export function anchoredTargets(targets: readonly Target[], folder: string): Target[] {
  return targets.map((target) => {
    const options = withAbsoluteCaFile(target.options, folder);
    return options === target.options ? target : { ...target, options };
  });
}

function withAbsoluteCaFile(options: unknown, folder: string): unknown {
  const file = findCaFile(options);
  if (file === undefined || !isRecord(options) || !isRecord(options["tls"])) return options;
  return { ...options, tls: { ...options["tls"], caFile: resolve(folder, file) } };
}

/** Finds files of authorities that are not there, whether or not the other options are well-formed. */
export async function checkAuthorities(
  drafts: readonly TargetDraft[],
  folder: string,
): Promise<Problem[]> {
  const troubleOf = troubles(folder);
  const problems = drafts.map(async ({ entry }): Promise<Problem[]> => {
    const options = isRecord(entry.value) ? entry.value["options"] : undefined;
    const file = findCaFile(options);
    const message = file === undefined ? undefined : await troubleOf(file);
    if (message === undefined) return [];
    const path = [...entry.path, "options", "tls", "caFile"];
    return [entry.source.locate({ path, message })];
  });
  return (await Promise.all(problems)).flat();
}

/** Whether every file of authorities that a configuration names can be used. */
export async function areAuthoritiesThere(
  { targets }: Pick<Configured, "targets">,
  folder: string,
): Promise<boolean> {
  const named = new Set(targets.flatMap(({ options }) => findCaFile(options) ?? []));
  const found = await Promise.all(Array.from(named, troubles(folder)));
  return found.every((message) => message === undefined);
}

/** Looks at each file once, however many targets name it. */
function troubles(folder: string): (file: string) => Promise<string | undefined> {
  const known = new Map<string, Promise<string | undefined>>();
  return (file) => {
    const found = known.get(file) ?? trouble(resolve(folder, file));
    known.set(file, found);
    return found;
  };
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
